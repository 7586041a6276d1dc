//! Files on hosts are written whole or not at all, even if something fails in between.

use lab::{HostPlan, Kind, Lab, Plan, needs_lab, proc};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

fn lab(tasks: &str) -> Lab {
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    let plan = Plan::new().host(host("plain").disk(1024)).host(host("tiny").kind(Kind::Busybox));
    let lab = Lab::start(plan.host(HostPlan { shell: "/usr/bin/fish", ..host("wish") }));
    let naming = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
    lab
}

/// Returns the path, on this machine, of a file in the login user's home.
fn home(lab: &Lab, host: &str, path: &str) -> PathBuf {
    lab.host(host).folder.join("home/deploy").join(path)
}

/// Returns the names in the login user's home, with hidden files.
fn listed(lab: &Lab, host: &str) -> Vec<String> {
    let entries = fs::read_dir(home(lab, host, "")).expect("a home").flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".local" && name != ".config");
    names.sort();
    names
}

/// Sends files and folders, gets them back, and tries what can't work.
const SENDING: &str = r#"
fn there() {
    targets().parallel(|host| {
        host.write("a file's $(touch x)", "text\nünï\n");
        ui::note(host, host.read("a file's $(touch x)"));
        host.write("mode", "new");
        host.write("link", "new");
        host.put("files/large", "large");
        host.put("files/tree", "tree");
        host.put("files/tree", "tree");
        host.template("files/conf.j2", "conf", #{ workers: 4 });
        ui::note(host, `${host.exists("tree")} ${host.exists("none")} ${host.exists("dangling")}`);
        host.get("large", `back/${host.name}.large`);
        host.get("tree/deep", `back/${host.name}.deep`);
        host.get("tree/deep", `back/${host.name}.deep`);
    });
}
fn wrong() {
    targets().parallel(|host| {
        for f in [
            || host.write("no/folder", "x"), || host.write("tree", "x"), || host.put("files/tree", "conf"),
            || host.read("none"), || host.read("tree"), || host.read("large"), || host.write("-rf", "x"),
            || host.get("tree", "back/x"), || host.read("dangling"), || host.put("files/none", "x"), || host.put("../../etc/passwd", "x"),
            || host.get("conf", "/tmp/x"), || host.put("files/out/hosts", "x"), || host.get("conf", "files/out/x"), || host.template("files/conf.j2", "conf2", #{}),
        ] { try { f.call(); ui::note(host, "no failure"); } catch (f) { ui::note(host, f.message); } }
    });
}
"#;

const HOSTS: [&str; 3] = ["plain", "tiny", "wish"];

/// Writes the files to send and the files that they replace on the hosts, and returns the large one's content.
fn files_here_and_there(lab: &Lab, files: &Path) -> Vec<u8> {
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::create_dir_all(files.join("tree/deep/er")).expect("a folder");
    fs::create_dir_all(lab.project.folder.join("back")).expect("a folder");
    fs::write(files.join("large"), &large).expect("a file");
    fs::write(files.join("tree/deep/er/file with space"), "deep\n").expect("a file");
    fs::write(files.join("tree/run"), "#!/bin/sh\n").expect("a file");
    fs::set_permissions(files.join("tree/run"), fs::Permissions::from_mode(0o4755)).expect("a mode");
    symlink("deep/er", files.join("tree/link")).expect("a link");
    fs::write(files.join("conf.j2"), "on {{ host.name }}: {{ workers }}\n").expect("a file");
    for name in HOSTS {
        fs::write(home(lab, name, "mode"), "old").expect("a file");
        fs::set_permissions(home(lab, name, "mode"), fs::Permissions::from_mode(0o666)).expect("a mode");
        fs::write(home(lab, name, "target"), "old").expect("a file");
        fs::set_permissions(home(lab, name, "target"), fs::Permissions::from_mode(0o640)).expect("a mode");
        symlink("target", home(lab, name, "link")).expect("a link");
        symlink("nowhere", home(lab, name, "dangling")).expect("a link");
    }
    large
}

/// Checks that each file arrived on this host and came back, with the right mode.
fn all_is_there(lab: &Lab, name: &str, large: &[u8]) {
    let text = |path: &str| fs::read_to_string(home(lab, name, path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mode = |path: &str| fs::symlink_metadata(home(lab, name, path)).expect("a file").permissions().mode();
    assert_eq!(text("a file's $(touch x)"), "text\nünï\n");
    assert_eq!((text("mode"), mode("mode") & 0o7777), ("new".into(), 0o666), "its mode is kept");
    assert_eq!((text("link"), text("target")), ("new".into(), "new".into()), "the file that it points to is replaced");
    assert!(fs::symlink_metadata(home(lab, name, "link")).expect("a link").is_symlink(), "the link stays");
    assert_eq!(mode("target") & 0o7777, 0o640, "its mode is kept");
    assert_eq!(fs::read(home(lab, name, "large")).expect("a file"), large);
    assert_eq!(fs::read(lab.project.folder.join(format!("back/{name}.large"))).expect("a file"), large);
    let back = lab.project.folder.join(format!("back/{name}.deep/er/file with space"));
    assert_eq!(fs::read_to_string(back).expect("a file"), "deep\n");
    assert_eq!(text("tree/deep/er/file with space"), "deep\n");
    assert_eq!(mode("tree/run") & 0o7777, 0o755, "no setuid bit goes over");
    assert_eq!(fs::read_link(home(lab, name, "tree/link")).expect("a link"), PathBuf::from("deep/er"));
    assert_eq!(text("conf"), format!("on {name}: 4\n"));
    let there = ["a file's $(touch x)", "conf", "dangling", "large", "link", "mode", "target", "tree"];
    assert_eq!(listed(lab, name), there, "{name}");
}

fn what_cannot_be_says_why(lab: &Lab, files: &Path) {
    symlink("/etc", files.join("out")).expect("a link");
    let out = lab.rfab(&["on:plain", "wrong"]).output().expect_ok();
    let back = fs::read_dir(lab.project.folder.join("back")).expect("a folder").count();
    assert_eq!(back, 6, "nothing half-made is left");
    let told: Vec<&str> =
        out.lines().filter_map(|l| l.strip_prefix("plain  ")).filter(|l| !l.contains(" failed: ")).collect();
    let expected = [
        "host `plain`: `no/folder`: its folder isn't there",
        "host `plain`: `tree`: it is a folder",
        "host `plain`: `conf`: it is a file, but rfab sends a folder",
        "host `plain`: `none`: it isn't there",
        "host `plain`: `tree`: it is a folder",
        "host `plain`: `large`: it is larger than 8 MiB",
        "host `plain`: `-rf` isn't a path on a host",
        "host `plain`: `tree`: `./link` in it is neither a file nor a folder",
        "host `plain`: `dangling`: it isn't a file",
        &format!("`{}/none` can't be read: No such file or directory (os error 2)", files.display()),
        "`../../etc/passwd` isn't inside the fabfile's folder",
        "`/tmp/x` isn't inside the fabfile's folder",
        "`files/out/hosts` points outside the fabfile's folder through a link",
        "`files/out/x` points outside the fabfile's folder through a link",
    ];
    assert_eq!(told[..expected.len()], expected, "{out}");
    assert!(told[expected.len()].starts_with("template `conf.j2`: undefined value"), "{out}");
    assert!(!home(lab, "plain", "conf2").exists());
}

#[test]
pub(super) fn files_and_folders_arrive_whole_and_come_back() {
    if !needs_lab("files_and_folders_arrive_whole_and_come_back") {
        return;
    }
    let lab = lab(SENDING);
    let files = lab.project.folder.join("files");
    let large = files_here_and_there(&lab, &files);
    let out = lab.rfab(&["on:all", "there", "--json"]).output().expect_ok();
    let told = |text: &str| out.lines().filter(|l| l.contains("\"progressed\"") && l.contains(text)).count();
    assert!(told("\"what\":\"sent\",\"done\":9000000,\"total\":9000000,\"unit\":\"bytes\"") == 3, "{out}");
    assert!(told("") < 200, "{}", told(""));
    for name in HOSTS {
        all_is_there(&lab, name, &large);
        assert!(out.contains("true false true"), "{out}");
    }

    what_cannot_be_says_why(&lab, &files);
}

const FILLING: &str = r#"
fn full()   { targets().each(|host| host.put("files/large", "/srv/file")); }
fn tree()   { targets().each(|host| host.put("files/tree", "/srv/tree")); }
fn small()  { targets().each(|host| host.write("/srv/file", "small\n")); }
fn broken() { targets().each(|host| host.put("files/huge", "file")); }
fn dumped() { targets().each(|host| host.get(sh("echo $$ > /srv/pid; exec yes"), "files/dump")); }
fn got()    { targets().each(|host| host.get("/srv/file", "files/dump")); }
fn packed() { targets().each(|host| host.put("files/tree", "/srv/tree")); }
"#;

fn a_full_host_keeps_what_it_had(lab: &Lab) {
    let plain = lab.host("plain");
    for (task, what) in [("full", "/srv/file"), ("tree", "/srv/tree")] {
        let out = lab.rfab(&["on:plain", task]).output();
        assert_eq!(out.code, Some(1), "{out:?}");
        let says = format!("error: host `plain`: `{what}`: it can't be written there; what was there is unchanged\n");
        assert!(out.stdout.contains(&says) && out.stdout.contains("No space left on device"), "{}", out.stdout);
        assert_eq!(
            plain.sh("cd /srv; find . -mindepth 1 | sort; cat file tree/file").expect_ok(),
            "./file\n./tree\n./tree/file\nold\nold\n"
        );
    }
    lab.rfab(&["on:plain", "small"]).output().expect_ok();
    assert_eq!(plain.sh("cat /srv/file").expect_ok(), "small\n");
}

/// Checks that without room for its output here, a file stays as it was, and an endless command is stopped.
fn a_full_disk_here_keeps_what_it_had(lab: &Lab, files: &Path) {
    let plain = lab.host("plain");
    let full = |task: &str, kib: u32| {
        let line = format!("ulimit -f {}; trap '' XFSZ; exec \"$0\" \"$@\"", kib * 2);
        lab.program("/bin/sh", &["-c", &line, env!("CARGO_BIN_EXE_rfab"), "on:plain", task]).output()
    };
    fs::write(files.join("dump"), "old").expect("a file");
    plain.sh("head -c 900000 /dev/zero > /srv/file; chmod a+rw /srv").expect_ok();
    for (task, what) in [("dumped", "dump"), ("got", "dump"), ("packed", "tree")] {
        let out = full(task, 800);
        let why = if what == "dump" { "written" } else { "packed here" };
        let says = format!("error: `{}` can't be {why}: File too large (os error 27)", files.join(what).display());
        assert!(out.code == Some(1) && out.stdout.contains(&says), "{out:?}");
        assert_eq!(fs::read_to_string(files.join("dump")).expect("a file"), "old");
    }
    plain.sh("! kill -0 \"$(cat /srv/pid)\"").expect_ok();
    let mut names: Vec<_> = fs::read_dir(files).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["dump", "huge", "large", "tree"], "nothing is left of it");
}

fn an_interrupted_file_leaves_what_was_there(lab: &Lab, files: &Path) {
    let plain = lab.host("plain");
    let dumping = lab.rfab(&["on:plain", "dumped"]).start();
    let begun = Instant::now();
    while fs::metadata(plain.path("/srv/pid"))
        .map_or(true, |about| about.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > begun.elapsed())))
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", dumping.so_far());
        thread::sleep(Duration::from_millis(5));
    }
    dumping.signal(Signal::INT);
    let out = dumping.output();
    assert!(out.stdout.contains("was interrupted and was stopped"), "{out:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(60) && fs::read_to_string(files.join("dump")).expect("a file") == "old"
    );
}

fn a_broken_connection_leaves_what_was_there(lab: &Lab) {
    fs::write(home(lab, "tiny", "file"), "old").expect("a file");
    let run = lab.rfab(&["on:tiny", "broken"]).start();
    let begun = Instant::now();
    let size = || {
        let temp = listed(lab, "tiny").into_iter().find(|name| name.starts_with(".rfab-"));
        temp.and_then(|name| fs::metadata(home(lab, "tiny", &name).join("new")).ok()).map_or(0, |about| about.len())
    };
    while size() < 5_000_000 {
        assert!(begun.elapsed() < Duration::from_secs(90) && !run.is_over(), "{:?}", run.so_far());
        thread::sleep(Duration::from_millis(5));
    }
    let processes = run.processes();
    let clients: Vec<_> = processes.iter().filter(|process| process.name == "ssh").collect();
    clients.iter().for_each(|process| assert!(proc::signal(process.pid, Signal::KILL)));
    // rfab's own client has no process that could be killed.
    if clients.is_empty() {
        lab.host("tiny").stop_sshd();
    }
    let out = run.output();
    assert_eq!(out.code, Some(4), "{out:?}");
    assert!(out.stdout.contains("error: host `tiny` can't be reached: its connection ended first\n"), "{}", out.stdout);
    let begun = Instant::now();
    while listed(lab, "tiny") != ["file"] {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", listed(lab, "tiny"));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(fs::read_to_string(home(lab, "tiny", "file")).expect("a file"), "old");
}

#[test]
pub(super) fn a_full_disk_or_a_broken_connection_leaves_what_was_there_and_nothing_else() {
    if !needs_lab("a_full_disk_or_a_broken_connection_leaves_what_was_there_and_nothing_else") {
        return;
    }
    let lab = lab(FILLING);
    let files = lab.project.folder.join("files");
    fs::create_dir_all(files.join("tree")).expect("a folder");
    fs::write(files.join("large"), vec![7; 3_000_000]).expect("a file");
    fs::write(files.join("tree/large"), vec![7; 3_000_000]).expect("a file");
    let huge = fs::File::create(files.join("huge")).expect("a file");
    huge.set_len(200 << 20).expect("a file with a hole");
    let plain = lab.host("plain");
    plain.sh("echo old > /srv/file; mkdir /srv/tree; echo old > /srv/tree/file; chmod -R a+rwX /srv").expect_ok();
    a_full_host_keeps_what_it_had(&lab);
    a_full_disk_here_keeps_what_it_had(&lab, &files);
    an_interrupted_file_leaves_what_was_there(&lab, &files);
    a_broken_connection_leaves_what_was_there(&lab);
}
