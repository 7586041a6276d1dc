//! Attacks that must fail closed. A canary is a file that a hostile name would make if anything took it for a command.
mod lab;

use lab::{HostPlan, Lab, Output, Plan, Sudo, needs_lab, needs_root};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

fn lab(tasks: &str) -> Lab {
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("testing1").role("web").sudo(Sudo::Free)));
    fabfile(&lab, tasks);
    let linked = |text: String| text.lines().filter(|l| !l.starts_with("linked")).map(|l| format!("{l}\n")).collect();
    lab.edit("fleets/testing1.toml", linked);
    lab
}

fn fabfile(lab: &Lab, tasks: &str) {
    let naming = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\nfn on() { on(\"all\") }\n\
                  fn hi() { targets().each(|host| host.run(\"true\")); }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
}

/// Where a canary would be: a folder that everybody may write, here and on the hosts.
fn canary(lab: &Lab) -> PathBuf {
    let folder = lab.folder.join("canaries");
    if !folder.exists() {
        fs::create_dir(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("a mode");
    }
    folder.join("p")
}

#[track_caller]
fn assert_no_canary(lab: &Lab, what: &str) {
    // Of any name: one with more behind it would have made `p=…` and the like.
    let made: Vec<PathBuf> =
        fs::read_dir(canary(lab).parent().expect("a folder")).expect("a folder").flatten().map(|e| e.path()).collect();
    assert_eq!(made, Vec::<PathBuf>::new(), "{what} was taken for a command");
}

/// Names that mean something to a shell, to ssh, to git, or to `env`.
fn hostile(lab: &Lab) -> Vec<String> {
    let p = canary(lab).display().to_string();
    vec![
        format!("a;touch${{IFS}}{p}"),
        format!("x$(touch {p})"),
        format!("x$(touch${{IFS}}{p})"),
        format!("`touch {p}`"),
        format!("x|touch {p}"),
        format!("x'; touch {p}; '"),
        format!("\"; touch {p}; \""),
        format!("x\ntouch {p}\n"),
        format!("--upload-pack=touch {p}"),
        format!("-oProxyCommand=touch {p}"),
        format!("-S touch {p}"),
        format!("ext::sh -c touch% {p}"),
        "..".into(),
        "-".into(),
        "x\u{202e}y\u{1b}[2J".into(),
        "x".repeat(4096),
    ]
}

/// Those of the hostile names that git itself lets through, as real branches and tags.
fn pushed(lab: &Lab) -> Vec<String> {
    let mut refs = Vec::new();
    for name in hostile(lab) {
        for (kind, name) in [("heads", name.clone()), ("tags", format!("{name}.tag"))] {
            let whole = format!("refs/{kind}/{name}");
            let head = lab.project.resolve("HEAD");
            let made = lab.project.git(&["update-ref", &whole, &head]).ok();
            if made && lab.project.git(&["push", "-q", "origin", &whole]).ok() {
                refs.push(name);
            }
        }
    }
    refs
}

/// Every way in which a script uses a word that it was given.
const USES: &str = r#"
fn tried(f) { try { f.call(); } catch (f) {} }
fn use_(x) {
    for host in targets() {
        tried(|| host.run(["echo", x]));
        tried(|| host.run(["env", "--", x]));
        tried(|| host.run("echo {x} a{x}b \"{x}\"", #{ x: x }));
        tried(|| host.run(sh("echo \"$x\" >/dev/null", #{ x: x })));
        tried(|| host.sudo("echo {x}", #{ x: x }));
        tried(|| host.env(#{ X: x }).run("env"));
        let named = #{}; named[x] = "y";
        tried(|| host.env(named).run("true"));
        tried(|| host.run(sh("true", named)));
        tried(|| host.cd(x).run("true"));
        tried(|| host.user("shop").cd(x).run("true"));
        tried(|| host.user(x).run("true"));
        tried(|| host.stdin(x).run("cat"));
        tried(|| host.write(x, "text"));
        tried(|| host.user("shop").write(x, "text"));
        tried(|| host.read(x));
        tried(|| host.exists(x));
        tried(|| host.get(x, "got"));
        tried(|| host.get("/etc/hostname", x));
        tried(|| host.put(x, "put"));
        tried(|| host.put("fabfile.rhai", x));
        tried(|| host.template(x, "x", #{}));
        tried(|| service::logs(host, x));
    }
    tried(|| targets().select(x));
    tried(|| targets().host(x));
    tried(|| fleet(`fleets/testing${x}.toml`));
    tried(|| git::resolve(x));
    tried(|| git::tag(x, git::resolve("v3.0.0")));
    tried(|| git::push_tag(x));
    tried(|| git::push_branch(x));
    tried(|| git::merge(x));
    tried(|| release::resolve(x));
    tried(|| ui::note(x));
}
fn used(x) { use_(x); }
fn deploy(reference) {
    let commit = release::resolve(reference);
    let wanted = release::number(commit);
    for host in targets() { release::set_up(host); release::stage(host, wanted); ui::note(host, `staged ${commit.id}`); }
}
"#;

#[test]
fn no_reference_argument_or_value_is_taken_for_a_command_or_an_option() {
    if !needs_root("no_reference_argument_or_value_is_taken_for_a_command_or_an_option") {
        return;
    }
    let lab = lab(USES);
    lab.host("web1")
        .sh("mkdir -p /srv/shop/releases /srv/shop/shared /srv/shop/.rfab && chown -R shop: /srv/shop")
        .expect_ok();
    let refs = pushed(&lab);
    assert!(refs.len() >= 4 && refs.iter().any(|name| name.contains(";touch")), "{refs:?}");
    // A branch or a tag of such a name is deployed, and only its commit reaches the host.
    for name in refs.iter().filter(|name| name.contains("touch$")) {
        let out = lab.rfab(&["on", &format!("deploy:{name}")]).output();
        assert_no_canary(&lab, name);
        let says = format!("staged {}", lab.project.resolve("HEAD"));
        assert!(out.ok() && out.stdout.contains(&says), "{out:?}");
    }
    let there = lab.host("web1").sh("ls /srv/shop/releases").expect_ok();
    assert!(there.lines().all(|line| line.starts_with("0001-")), "{there}");
    for name in hostile(&lab) {
        let out = lab
            .rfab(&["on", &format!("used:{}", name.replace('\\', r"\\").replace(',', r"\,").replace('=', r"\="))])
            .output();
        assert_no_canary(&lab, &name);
        assert_eq!(out.code, Some(0), "{name:?}: {out:?}");
        assert!(!out.stdout.contains(['\x1b', '\u{202e}']), "{out:?}");
    }
    // As words of the command line and as an ad-hoc command's arguments, too.
    for name in hostile(&lab) {
        for words in [
            vec!["on", &*name, "hi"],
            vec![&*name],
            vec!["on", "--", "echo", &*name],
            vec!["--limit", &*name, "on", "hi"],
            vec!["--exclude", &*name, "on", "hi"],
            vec!["--set", &*name, "on", "hi"],
            vec!["-f", &*name, "on"],
            vec!["--trust", &*name],
        ] {
            let _: Output = lab.rfab(&words).output();
            assert_no_canary(&lab, &format!("{words:?}"));
        }
    }
}

#[test]
fn no_name_of_a_fleet_file_is_taken_for_a_command_or_an_option() {
    if !needs_lab("no_name_of_a_fleet_file_is_taken_for_a_command_or_an_option") {
        return;
    }
    let lab = lab("");
    let file = lab.project.folder.join("fleets/testing1.toml");
    let good = fs::read_to_string(&file).expect("the fleet");
    let top = |line: &str| {
        format!(
            "{line}\n{}",
            good.lines()
                .filter(|l| !l.starts_with(line.split(' ').next().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join("\n")
        )
    };
    let web1 = good.lines().find(|line| line.starts_with("web1 ")).expect("a host").to_owned();
    let balancer = |pool: &str, server: &str, socket: &str| {
        format!(
            "{good}\n[balancer.lb1]\ndriver = \"haproxy\"\nhost = \"web1\"\nsocket = {socket}\npools = {{ {pool} = \"web\" }}\nserver = {server}\n"
        )
    };
    let mut refused = 0;
    for name in hostile(&lab) {
        let text = toml::Value::String(name.clone()).to_string();
        let fleets = [
            good.replace(&web1, &web1.replacen("web1", &text, 1)),
            good.replace(&web1, &format!("web1 = {{ roles = [\"web\"], address = {text} }}")),
            top(&format!("via = {text}")),
            top(&format!("user = {text}")),
            top(&format!("ssh = {text}")),
            top(&format!("state = {text}")),
            good.replace("path = \"/srv/shop\"", &format!("path = {text}")),
            good.replace("repository = \".\"", &format!("repository = {text}")),
            good.replace("[\"shop\"]", &format!("[{text}]")),
            good.replace("user = \"shop\"", &format!("user = {text}")),
            balancer(&text, "\"{name}\"", "\"/run/haproxy/admin.sock\""),
            balancer("bk_web", &text, "\"/run/haproxy/admin.sock\""),
            balancer("bk_web", "\"{name}\"", &text),
        ];
        for fleet in fleets {
            fs::write(&file, &fleet).expect("the fleet");
            let out = lab.rfab(&["on", "hi"]).output();
            assert_no_canary(&lab, &fleet);
            assert_ne!(out.code, None, "{out:?}");
            refused += usize::from(out.code == Some(3));
        }
    }
    assert!(refused > 120, "{refused}");
}

#[test]
fn no_host_is_given_the_operators_agent() {
    if !needs_lab("no_host_is_given_the_operators_agent") {
        return;
    }
    let lab = lab(
        "fn agent() { targets().each(|host| host.run(sh(\"echo agent=${SSH_AUTH_SOCK-none} display=${DISPLAY-none}\"))); }",
    );
    fs::write(lab.home().join(".ssh/config"), "Host *\n    ForwardAgent yes\n    ForwardX11 yes\n    ForwardX11Trusted yes\n    LocalForward 127.0.0.1:45999 127.0.0.1:22\n")
        .expect("a user's configuration");
    let rfab = env!("CARGO_BIN_EXE_rfab");
    let line = format!(
        "eval $(ssh-agent) >/dev/null; ssh-add -q {}; '{rfab}' on agent; code=$?; ssh-agent -k >/dev/null; exit $code",
        lab.folder.join("operator/key").display()
    );
    let out = lab.program("sh", &["-c", &line]).env("DISPLAY", ":0").output().expect_ok();
    assert!(out.contains("web1  | agent=none display=none\n"), "{out}");
    // It would have worked by hand: the host lets agents through.
    let by_hand = line.replace(
        &format!("'{rfab}' on agent"),
        &format!("ssh -A -F {} web1 'echo agent=$SSH_AUTH_SOCK'", lab.folder.join("operator/ssh_config").display()),
    );
    let out = lab.program("sh", &["-c", &by_hand]).output().expect_ok();
    assert!(out.contains("agent=/"), "{out}");
}

/// What it leads to is neither made nor opened.
fn a_lock_here_that_is_a_link_is_not_followed(lab: &Lab, folder: &Path) {
    lab.rfab(&["on", "hi"]).output().expect_ok();
    let locks: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "lock"))
        .collect();
    assert!(!locks.is_empty());
    // Who finds a connection that lives needs no lock.
    for lock in &locks {
        let socket = lock.with_extension("").display().to_string();
        lab.program("ssh", &["-O", "exit", "-S", &socket, "web1"]).output().expect_ok();
    }
    for lock in &locks {
        fs::remove_file(lock).expect("a lock file");
        symlink(lab.folder.join("made"), lock).expect("a link");
    }
    let out = lab.rfab(&["on", "hi"]).output();
    assert!(!out.ok() && !lab.folder.join("made").exists(), "{out:?}");
    locks.iter().for_each(|lock| fs::remove_file(lock).expect("a link"));
}

/// Where the fleet's lock is.
fn a_lock_on_the_host_that_somebody_else_made_is_refused(lab: &Lab) {
    let home = lab.host("web1").home();
    let state = format!("{home}/.local/state/rfab/testing1");
    let host = lab.host("web1");
    for (line, says) in [
        (format!("rm -f {state}/lock; ln -s {home}/made {state}/lock"), "isn't a plain file"),
        (format!("rm {state}/lock; mkdir {state}/lock"), "isn't a plain file"),
        (
            format!("rmdir {state}/lock; mv {state} {state}.old; ln -s {state}.old {state}"),
            "is a link or belongs to another user",
        ),
        (
            format!("rm {state}; mkdir {state}; chown shop-web: {state}; chmod 777 {state}"),
            "is a link or belongs to another user",
        ),
    ] {
        host.sh(&line).expect_ok();
        let out = lab.rfab(&["on", "hi"]).output();
        assert!(!out.ok() && out.stdout.contains(says), "`{says}` isn't said: {}", out.stdout);
        assert_eq!(host.sh(&format!("test -e {home}/made || echo none")).expect_ok(), "none\n");
    }
}

#[test]
fn a_folder_or_a_lock_that_somebody_else_put_there_is_not_used() {
    if !needs_root("a_folder_or_a_lock_that_somebody_else_put_there_is_not_used") {
        return;
    }
    let lab = lab("");
    let folder = lab.folder.join("run/rfab");
    let target = lab.folder.join("target");
    let refused = |says: &str| {
        let out = lab.rfab(&["on", "hi"]).output();
        assert_eq!(out.code, Some(1), "{out:?}");
        assert!(out.stdout.contains(says), "`{says}` isn't said: {}", out.stdout);
        assert!(!lab.host("web1").sshd_log().contains("Accepted"), "nothing was connected to");
    };
    fs::create_dir(&target).expect("a folder");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).expect("a mode");
    symlink(&target, &folder).expect("a link");
    refused("it is a link or a file");
    assert_eq!(fs::read_dir(&target).expect("a folder").count(), 0);
    fs::remove_file(&folder).expect("the link");
    fs::write(&folder, "").expect("a file");
    refused("it is a link or a file");
    fs::remove_file(&folder).expect("the file");
    fs::create_dir(&folder).expect("a folder");
    chown(&folder, Some(58003), Some(58003)).expect("another owner");
    refused("it belongs to another user");
    chown(&folder, Some(0), Some(0)).expect("an owner");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    refused("others may enter it");
    fs::remove_dir(&folder).expect("the folder");

    a_lock_here_that_is_a_link_is_not_followed(&lab, &folder);
    a_lock_on_the_host_that_somebody_else_made_is_refused(&lab);
}

/// Every file that was seen below a folder while the watch went on, with the widest mode it was seen with.
fn watch(folder: &Path, stop: &AtomicBool, seen: &mut Vec<(PathBuf, u32)>) {
    while !stop.load(Ordering::Relaxed) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(about) = fs::symlink_metadata(entry.path()) else { continue };
                if about.is_dir() {
                    folders.push(entry.path());
                }
                let mode = if about.is_symlink() { 0 } else { about.mode() & 0o777 };
                match seen.iter_mut().find(|(path, _)| *path == entry.path()) {
                    Some((_, widest)) => *widest |= mode,
                    None => seen.push((entry.path(), mode)),
                }
            }
        }
    }
}

#[test]
fn no_file_of_a_run_can_be_read_by_others_at_any_moment() {
    if !needs_lab("no_file_of_a_run_can_be_read_by_others_at_any_moment") {
        return;
    }
    let lab = lab(
        "fn send() { targets().each(|host| { host.run(\"true\"); host.put(\"files\", \"tree\"); host.put(\"files/large\", \"private\"); host.get(\"private\", \"back\"); }); }",
    );
    // A runtime directory that others may enter, as where a system has none and /tmp is used.
    let open = lab.folder.join("open");
    fs::create_dir_all(lab.project.folder.join("files")).expect("a folder");
    fs::create_dir(&open).expect("a folder");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::write(lab.project.folder.join("files/large"), vec![7; 30_000_000]).expect("a file");
    let private = lab.host("web1").folder.join("home/deploy/private");
    fs::write(&private, "").expect("a file");
    let owner = fs::metadata(lab.host("web1").folder.join("home/deploy")).expect("a home");
    chown(&private, Some(owner.uid()), Some(owner.gid())).expect("an owner");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).expect("a mode");
    let stop = AtomicBool::new(false);
    let (mut here, mut temp, mut there) = (Vec::new(), Vec::new(), Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| watch(&open, &stop, &mut here));
        scope.spawn(|| watch(&lab.folder.join("tmp"), &stop, &mut temp));
        scope.spawn(|| watch(&lab.host("web1").folder.join("home"), &stop, &mut there));
        let text = open.display().to_string();
        let out = lab
            .rfab(&["on", "send"])
            .env("XDG_RUNTIME_DIR", &text)
            .env("TMPDIR", &lab.folder.join("tmp").display().to_string())
            .output();
        thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::Relaxed);
        out.expect_ok();
    });
    let names = |seen: &[(PathBuf, u32)], what: &str| {
        seen.iter().filter(|(path, _)| path.display().to_string().contains(what)).count()
    };
    assert!(names(&here, ".conf") >= 1 && names(&here, "/rfab/") >= 3, "{here:?}");
    assert!(names(&temp, "tmp/.tmp") >= 1, "{temp:?}");
    assert!(names(&there, ".rfab-") >= 2 && names(&there, "state/rfab") >= 3, "{there:?}");
    for (path, mode) in here.iter().chain(&temp) {
        assert_eq!(mode & 0o077, 0, "others could read {}", path.display());
    }
    for (path, mode) in &there {
        // What lies within a folder of the login user's own is out of reach whatever its mode.
        let name = path.strip_prefix(lab.host("web1").folder.join("home/deploy")).unwrap_or(path);
        let reached = name.components().count() == 1
            && !name.starts_with("tree")
            && path.file_name().is_some_and(|n| n != "deploy");
        let is_state = path.ends_with(".local/state/rfab/testing1");
        assert!(
            !(reached || is_state) || mode & 0o077 == 0 || name.starts_with(".local"),
            "others could read {}: {mode:o}",
            path.display()
        );
    }
}

/// What a process of the app's user does in a folder of its own as fast as it can, while root writes there.
const SWAPS: &str = r#"
cd /srv/theirs || exit
while [ ! -e /srv/stop ]; do
    for one in .rfab-*; do
        [ -e "$one" ] || continue
        mv "$one" ".was$one" && ln -s /srv/victim "$one"
        chmod -R u+rwx . 2>/dev/null; ln -sf /srv/victim/file new
    done
    rm -f conf; ln -s /srv/victim/file conf
    rm -f conf; echo old > conf; chmod 4755 conf
    [ ! -d sub ] || mv sub .sub; ln -s /srv/victim sub; rm -f sub; mv .sub sub
done
"#;

#[test]
fn who_owns_a_folder_that_root_writes_to_cannot_lead_it_elsewhere() {
    if !needs_root("who_owns_a_folder_that_root_writes_to_cannot_lead_it_elsewhere") {
        return;
    }
    let lab = lab(r#"
fn writes() {
    targets().each(|host| {
        for n in range(0, 12) {
            let root = host.user("root");
            for f in [|| root.write("/srv/theirs/conf", "new"), || root.write("/srv/theirs/sub/conf", "new"), || root.put("tree", "/srv/theirs/sub/tree")] {
                try { f.call(); } catch (f) { ui::note(host, f.message); }
            }
        }
    });
}
"#);
    fs::create_dir_all(lab.project.folder.join("tree/deep")).expect("a folder");
    fs::write(lab.project.folder.join("tree/deep/file"), "new").expect("a file");
    let host = lab.host("web1");
    let setpriv = host.tool("setpriv");
    let attack = format!("exec {setpriv} --reuid=shop --regid=shop --clear-groups -- /bin/sh -c \"$1\"");
    host.sh("cd /srv && mkdir theirs theirs/sub victim && echo victim > victim/file && chmod 700 victim && chmod 600 victim/file && chown -R shop:shop theirs").expect_ok();
    host.exec(&["/bin/sh", "-c", &format!("({attack}) </dev/null >/dev/null 2>&1 &"), "sh", SWAPS]).expect_ok();
    let out = lab.rfab(&["on", "writes"]).output().expect_ok();
    host.sh("touch /srv/stop").expect_ok();
    let victim = host.sh("cd /srv/victim && find . | sort | xargs stat -c '%a %U %n' && cat file").expect_ok();
    assert_eq!(victim, "700 root .\n600 root ./file\nvictim\n", "{out}");
    let strange = host
        .sh("find / -xdev -user root -perm /6000 -newer /srv/victim/file; find /srv -user root -perm /6000")
        .expect_ok();
    assert_eq!(strange, "", "nothing that runs as root");
}

#[test]
fn what_somebody_made_among_the_releases_gives_no_number_and_what_they_left_there_is_named() {
    if !needs_root("what_somebody_made_among_the_releases_gives_no_number_and_what_they_left_there_is_named") {
        return;
    }
    let lab = lab(r#"
fn deploys() {
    targets().each(|host| release::set_up(host));
    for tag in ["v3.0.0", "v3.0.1", "v3.0.2"] {
        let made = release::number(git::resolve(tag));
        targets().each(|host| { release::stage(host, made); release::activate(host, made); });
    }
}
fn cut() { targets().each(|host| release::prune(host)); }
"#);
    lab.colleague("c").release("v3.0.2");
    let host = lab.host("web1");
    host.sh("mkdir -p /srv/shop/releases/999999999-aaaaaaaaaaaa && chown -R shop:shop /srv/shop").expect_ok();
    let out = lab.rfab(&["on", "deploys"]).output().expect_ok();
    let named = "`releases/999999999-aaaaaaaaaaaa` isn't a release of rfab's, and its number doesn't count";
    assert!(out.contains(named), "{out}");
    let numbers = host.sh("cd /srv/shop/releases && ls -d 000*-????????????").expect_ok();
    let numbers: Vec<&str> = numbers.lines().map(|name| &name[..4]).collect();
    assert_eq!(numbers, ["0001", "0002", "0003"], "{out}");
    let old = host.sh("cd /srv/shop/releases && cd 0001-* && mkdir theirs && touch theirs/file && chmod 755 theirs && basename \"$PWD\"");
    let old = old.expect_ok().trim().to_owned();
    for _ in 0..2 {
        let out = lab.rfab(&["--set", "app.keep=1", "on", "cut"]).output().expect_ok();
        let path = format!("/srv/shop/releases/.gone-{old}");
        let named = format!(
            "`{path}` is left of a release, with files of another user in it; `sudo rm -rf {path}` there removes it"
        );
        assert!(out.contains(&named), "{out}");
    }
    host.sh(&format!("rm -rf /srv/shop/releases/.gone-{old}")).expect_ok();
    assert!(!lab.rfab(&["--set", "app.keep=1", "on", "cut"]).output().expect_ok().contains("is left of a release"));
}
