//! What a person does on a host through rfab: a dump, a load, a shell, and logs that grow.

use lab::{HostPlan, Kind, Lab, Plan, Sudo, needs_lab, needs_root};
use std::{fs, thread, time::Duration};

/// Starts two hosts of one fleet, with tasks on them.
fn lab(tasks: &str) -> Lab {
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    let lab = Lab::start(Plan::new().host(host("plain")).host(host("tiny").kind(Kind::Busybox)));
    let naming = "import \"std/ops\" as operating;\nfn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n";
    lab.edit("fabfile.rhai", |_| format!("{naming}{tasks}\n"));
    lab
}

#[test]
fn a_dump_comes_whole_or_not_at_all_and_a_load_reads_the_same_bytes() {
    if !needs_lab("a_dump_comes_whole_or_not_at_all_and_a_load_reads_the_same_bytes") {
        return;
    }
    let lab = lab(r#"
fn dump() { targets().parallel(|host| host.get(sh("cat big || exit; echo said >&2"), `${host.name}.dump`)); }
fn load() { targets().parallel(|host| ui::note(host, host.put("big", sh("cat > loaded; wc -c < loaded")))); }
fn partial() { targets().each(|host| host.get(["sh", "-c", "echo half; exit 3"], "partial.dump")); }
fn idle() { targets().each(|host| host.put("big", ["true"])); }
fn nothing() { targets().each(|host| host.put("nothing", ["cat"])); }
"#);
    let big: Vec<u8> = (0..(5 << 20) + 77_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let here = |name: &str| lab.project.folder.join(name);
    fs::write(here("big"), &big).unwrap();
    let home = |host: &str, name: &str| lab.host(host).folder.join("home/deploy").join(name);
    let loaded = lab.rfab(&["on:all", "load", "dump"]).output();
    // There is nothing to dump yet.
    assert_eq!(loaded.code, Some(1), "{}{}", loaded.stdout, loaded.stderr);
    for host in ["plain", "tiny"] {
        assert!(
            loaded.stdout.lines().any(|line| line.starts_with(host) && line.ends_with(&format!("  {}", big.len()))),
            "{}",
            loaded.stdout
        );
        assert!(fs::read(home(host, "loaded")).unwrap() == big);
        assert!(!here(&format!("{host}.dump")).exists());
        fs::rename(home(host, "loaded"), home(host, "big")).unwrap();
    }
    let dumped = lab.rfab(&["on:all", "dump"]).output();
    assert_eq!(dumped.code, Some(0), "{}{}", dumped.stdout, dumped.stderr);
    for host in ["plain", "tiny"] {
        assert!(fs::read(here(&format!("{host}.dump"))).unwrap() == big);
        assert!(
            dumped.stdout.lines().any(|line| line.starts_with(host) && line.ends_with("  ! said")),
            "{}",
            dumped.stdout
        );
    }
    assert!(!dumped.stdout.contains(" | "), "{}", dumped.stdout);
    fs::write(here("partial.dump"), "before").unwrap();
    let partial = lab.rfab(&["on:plain", "partial"]).output();
    assert!(partial.stdout.contains("`sh -c 'echo half; exit 3'` ended with status 3"), "{}", partial.stdout);
    assert_eq!(fs::read_to_string(here("partial.dump")).unwrap(), "before");
    let left: Vec<_> = fs::read_dir(&lab.project.folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "{left:?}");
    // A command that doesn't read all of its input can still succeed.
    assert_eq!(lab.rfab(&["on:plain", "idle"]).output().code, Some(0));
    let none = lab.rfab(&["on:plain", "nothing"]).output();
    assert!(none.code == Some(1) && none.stdout.contains("nothing` isn't a file"), "{}", none.stdout);
}

#[test]
pub(super) fn a_shell_has_the_terminal_and_without_one_it_is_refused() {
    if !needs_lab("a_shell_has_the_terminal_and_without_one_it_is_refused") {
        return;
    }
    let lab = lab("fn shell() { operating::shell() }\nfn ask() { targets().each(|host| ui::note(host, \
                   `ended ${host.cd(\"/usr\").env(#{ A: \"b c\" }).terminal([\"sh\", \"-c\", \"tty; pwd; echo $A; read x; exit $x\"])}`)); }");
    let shell = lab.rfab(&["on:plain", "shell"]).on_terminal().start();
    shell.types("echo $((40+2)) on $(tty) | tr 0-9 a-j\n");
    shell.wait_for("ec on /dev/pts/");
    shell.types("exit 7\n");
    let shell = shell.output();
    assert_eq!(shell.code, Some(0), "{shell:?}");
    assert!(shell.stdout.contains("plain") && shell.stdout.contains("1 host: 1 untouched"), "{}", shell.stdout);
    let ask = lab.rfab(&["on:plain", "ask"]).on_terminal().start();
    ask.wait_for("b c");
    ask.types("5\n");
    let ask = ask.output();
    assert!(ask.stdout.contains("/usr") && ask.stdout.contains("ended 5"), "{}", ask.stdout);
    let pipe = lab.rfab(&["on:plain", "shell"]).output();
    assert_eq!(pipe.code, Some(1));
    assert!(
        pipe.stdout.contains("host `plain`: a program wants a terminal, and there is none here"),
        "{}",
        pipe.stdout
    );
    let two = lab.rfab(&["on:all", "shell"]).output();
    assert_eq!(two.code, Some(7));
    assert!(two.stdout.contains("a terminal needs one host, and 2 are selected: name one of them"), "{}", two.stdout);
}

#[test]
fn logs_are_followed_on_all_hosts_until_one_signal_which_leaves_nothing_behind() {
    if !needs_lab("logs_are_followed_on_all_hosts_until_one_signal_which_leaves_nothing_behind") {
        return;
    }
    let lab = lab("fn follow() { operating::follow() }");
    let following = || lab.host("plain").processes().iter().filter(|p| p.name == "sleep").count();
    let before = following();
    let follow = "app.service.follow=[\"sh\", \"-c\", \"echo at-$$; exec sleep 987\"]";
    let run = lab.rfab(&["--set", follow, "on:all", "follow"]).start();
    for _ in 0..200 {
        if run.so_far().0.matches("| at-").count() == 2 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(run.so_far().0.matches("| at-").count(), 2, "{:?}", run.so_far());
    assert_eq!(following(), before + 1);
    run.signal(rustix::process::Signal::INT);
    let ended = run.output();
    assert_eq!(ended.code, Some(130), "{}{}", ended.stdout, ended.stderr);
    let mut left = following();
    for _ in 0..50 {
        if left == before {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        left = following();
    }
    assert_eq!(left, before);
}

/// Starts a database server on a host, which listens only on a socket in `/var/tmp/pg`.
fn start_postgres(lab: &Lab, host: &str) {
    let host = lab.host(host);
    let found = fs::read_dir("/usr/lib/postgresql").expect("a server: run tests/install-needs").flatten().last();
    let bin = found.expect("a server of PostgreSQL").path().join("bin").display().to_string();
    let own = "install -d -o postgres -g postgres /var/tmp/pg";
    let make = format!("{bin}/initdb -D /var/tmp/pg/data -A trust --no-sync -N >/dev/null");
    let start = format!("{bin}/pg_ctl -D /var/tmp/pg/data -w -l /var/tmp/pg/log start");
    let only = "printf \"listen_addresses=''\\nunix_socket_directories='/var/tmp/pg'\\nfsync=off\\n\" >> /var/tmp/pg/data/postgresql.conf";
    let setpriv = host.tool("setpriv");
    let as_postgres = format!("{setpriv} --reuid=58004 --regid=58004 --clear-groups -- /bin/sh -c");
    let line = format!("{own} && {as_postgres} \"$1\" && {as_postgres} \"$2\" && {as_postgres} \"$3\" >/dev/null 2>&1");
    host.exec(&["/bin/sh", "-c", &line, "sh", &make, only, &start]).expect_ok();
}

#[test]
fn a_database_is_dumped_here_and_loaded_again_as_its_own_user() {
    if !needs_root("a_database_is_dumped_here_and_loaded_again_as_its_own_user") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("db").fleet("testing1").role("web").sudo(Sudo::Free)));
    lab.edit("fabfile.rhai", |_| {
        r#"
fn db() { fleet("fleets/testing1.toml") }
fn fill() {
    targets().each(|host| {
        let db = host.user("postgres").env(#{ PGHOST: "/var/tmp/pg" });
        db.run("createdb shop");
        db.stdin("create table orders (id int, what text); insert into orders select n, md5(n::text) from generate_series(1, 20000) n;").run("psql -q shop");
    });
}
fn dump() { targets().each(|host| host.user("postgres").env(#{ PGHOST: "/var/tmp/pg" }).get(["pg_dump", "-Fc", "shop"], "shop.dump")); }
fn lose() { targets().each(|host| host.user("postgres").env(#{ PGHOST: "/var/tmp/pg" }).run(["psql", "-qc", "drop table orders", "shop"])); }
fn load() {
    targets().each(|host| {
        let db = host.user("postgres").env(#{ PGHOST: "/var/tmp/pg" });
        db.put("shop.dump", ["pg_restore", "--exit-on-error", "-d", "shop"]);
        ui::note(host, db.capture(["psql", "-qtAc", "select count(*), min(what) from orders", "shop"]));
    });
}
"#
        .to_owned()
    });
    start_postgres(&lab, "db");
    let ran = lab.rfab(&["db", "fill", "dump", "lose", "load"]).output();
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.lines().any(|line| line.starts_with("db  20000|00")), "{}", ran.stdout);
    // If a dump fails, the one before stays as it is; if a load fails, rfab reports it.
    let before = fs::read(lab.project.folder.join("shop.dump")).unwrap();
    lab.edit("fabfile.rhai", |text| {
        text.replace("[\"pg_dump\", \"-Fc\", \"shop\"]", "[\"pg_dump\", \"-Fc\", \"none\"]")
    });
    let none = lab.rfab(&["db", "dump"]).output();
    assert!(none.code == Some(1) && none.stdout.contains("database \"none\" does not exist"), "{}", none.stdout);
    assert!(fs::read(lab.project.folder.join("shop.dump")).unwrap() == before);
    let twice = lab.rfab(&["db", "load"]).output();
    assert!(twice.code == Some(1) && twice.stdout.contains("already exists"), "{}", twice.stdout);
}
