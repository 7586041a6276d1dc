//! Logins as people have them: jump hosts, users, servers that turn logins away, shells that are noisy or stuck.

use lab::{HostPlan, Lab, PASSWORD, Plan, Sudo, needs_lab, needs_root};
use rustix::process::Signal;
use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

const TASKS: &str = "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n\
    fn hi() { targets().parallel(|host| host.run(\"echo hi\")); }\n\
    fn three() { targets().parallel(|host| { for i in 1..=3 { host.run(\"echo hi {i}\", #{ i: i }); } }); }\n\
    fn whoami() { targets().each(|host| host.run(\"id -un\")); }\n\
    fn root() { targets().each(|host| host.sudo(\"id -un\")); }\n\
    fn check() { targets().parallel(|host| { let l = release::preflight(host); ui::note(host, `${l}`); }); }\n";

fn host(name: &'static str) -> HostPlan {
    HostPlan::new(name).fleet("testing1").role("web")
}

fn lab(plan: Plan) -> Lab {
    let lab = Lab::start(plan);
    lab.edit("fabfile.rhai", |_| TASKS.into());
    lab
}

/// Replaces the fleet's hosts by these, each with its address, and puts a line before its tables.
fn fleet(lab: &Lab, top: &str, hosts: &[(&str, &str)]) {
    lab.edit("fleets/testing1.toml", |text| {
        let (before, _) = text.split_once("[hosts]").expect("hosts");
        let mut new: String = before.lines().filter(|l| !l.starts_with("via")).map(|l| format!("{l}\n")).collect();
        new = format!("{top}\n{new}[hosts]\n");
        for (name, address) in hosts {
            new += &format!("{name} = {{ roles = [\"web\"], address = \"{address}\" }}\n");
        }
        new
    });
}

/// Writes an ssh configuration that leads names to machines of the lab, without users or jump hosts.
fn ssh_config(lab: &Lab, hosts: &[(&str, &str, u16)]) {
    let key = lab.folder.join("operator/key");
    let host = |(names, at, port): &(&str, &str, u16)| format!("Host {names}\n HostName {at}\n Port {port}\n");
    let mut text: String = hosts.iter().map(host).collect();
    text += &format!("Host *\n IdentityFile {}\n IdentitiesOnly yes\n", key.display());
    lab.edit("fleets/ssh_config", |_| text);
}

/// Returns how often a user logged in on a machine.
fn logins(lab: &Lab, name: &str) -> usize {
    lab.host(name).sshd_log().matches("Accepted publickey").count()
}

/// Returns a free port of `::1`.
fn free_port() -> Option<u16> {
    let listener = TcpListener::bind("[::1]:0").ok()?;
    listener.local_addr().ok().map(|address| address.port())
}

#[test]
pub(super) fn hosts_are_reached_through_one_jump_host_or_two_also_where_these_are_of_the_fleet_and_by_ipv6() {
    if !needs_lab("hosts_are_reached_through_one_jump_host_or_two_also_where_these_are_of_the_fleet_and_by_ipv6") {
        return;
    }
    let Some(port) = free_port() else { return eprintln!("not run: this machine has no IPv6") };
    let six: &'static str = format!("ListenAddress [::1]:{port}").leak();
    let lab =
        lab(Plan::new().host(host("gate").sshd(six)).host(host("mid").behind("gate")).host(host("web1").behind("mid")));
    let [gate, mid, web] = ["gate", "mid", "web1"].map(|name| lab.host(name));
    let (g, m) = (gate.address.to_string(), mid.address.to_string());
    lab.edit("known_hosts", |text| format!("{text}[::1]:{port} {}\n", gate.host_key()));
    let config =
        [(&*g, &*g, gate.port), (&*m, "mid.inner", mid.port), ("web1", "web1.inner", web.port), ("::1", "::1", port)];
    ssh_config(&lab, &config);
    // Settings that a person has for other machines.
    fs::write(lab.home().join(".ssh/config"), "Host *\n User nobody\n SendEnv *\n").expect("a configuration");
    let hosts = [("gate", &*g), ("mid", &m), ("web1", "web1")];
    for via in [
        format!("{g}:{},{m}", gate.port),
        format!("deploy@{g},deploy@{m}:{}", mid.port),
        format!("deploy@[::1]:{port},{m}"),
    ] {
        fleet(&lab, &format!("via = \"{via}\""), &hosts);
        let out = lab.rfab(&["on:all", "whoami"]).output().expect_ok();
        assert_eq!(out.matches("| deploy\n").count(), 3, "{via}: {out}");
    }
    // A host with an IPv6 address as its name, and another behind it.
    fleet(&lab, &format!("via = \"deploy@[::1]:{port}\""), &[("mid", &m), ("six", "::1")]);
    let out = lab.rfab(&["on:all", "whoami"]).output().expect_ok();
    assert_eq!(out.matches("| deploy\n").count(), 2, "{out}");
}

#[test]
pub(super) fn a_jump_host_is_logged_in_on_once_and_a_server_that_turns_logins_away_is_asked_again() {
    if !needs_lab("a_jump_host_is_logged_in_on_once_and_a_server_that_turns_logins_away_is_asked_again") {
        return;
    }
    let few = |name| HostPlan::new(name).sshd("MaxStartups 3:100:3");
    let lab =
        lab(Plan::new().host(few("gate")).host(host("web1").behind("gate").sshd("MaxStartups 100")).host(few("busy")));
    let (gate, web, busy) = (lab.host("gate"), lab.host("web1"), lab.host("busy"));
    let names = |with: &str, many: usize| (1..=many).map(|n| format!("{with}{n}")).collect::<Vec<_>>();
    let (behind, direct) = (names("w", 24), names("d", 12));
    let (g, b) = (gate.address.to_string(), busy.address.to_string());
    ssh_config(
        &lab,
        &[("gate", &g, gate.port), (&behind.join(" "), "web1.inner", web.port), (&direct.join(" "), &b, busy.port)],
    );
    let all = |names: &[String]| fleet(&lab, "", &names.iter().map(|name| (&**name, &**name)).collect::<Vec<_>>());
    all(&behind);
    lab.edit("fleets/testing1.toml", |text| format!("via = \"gate\"\n{text}"));
    let out = lab.rfab(&["on:all", "hi", "-P", "24"]).output().expect_ok();
    assert_eq!((out.matches("| hi\n").count(), logins(&lab, "gate")), (24, 1), "{out}");
    all(&direct);
    let out = lab.rfab(&["on:all", "hi", "-P", "12"]).output().expect_ok();
    assert_eq!(out.matches("| hi\n").count(), 12, "{out}");

    // A missing host behind a jump host is reported as such, without delay.
    ssh_config(&lab, &[("gate", &g, gate.port), ("w1", "web1.inner", 9)]);
    fleet(&lab, "via = \"gate\"", &[("w1", "w1")]);
    let begun = Instant::now();
    let out = lab.rfab(&["on:all", "hi"]).output();
    assert_eq!(out.code, Some(4), "{out:?}");
    assert!(out.stdout.contains("can't connect to the next host: Connection refused"), "{}", out.stdout);
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
}

#[test]
fn a_change_in_an_included_file_counts_while_a_connection_is_still_open() {
    if !needs_lab("a_change_in_an_included_file_counts_while_a_connection_is_still_open") {
        return;
    }
    let lab = lab(Plan::new().host(host("web1")).host(host("web2")));
    let own = lab.home().join(".ssh");
    fs::create_dir(own.join("conf.d")).expect("a folder");
    fs::write(own.join("config"), "Include conf.d/*.conf\n").expect("a configuration");
    ssh_config(&lab, &[]);
    fleet(&lab, "", &[("app1", "app1")]);
    for name in ["web1", "web2"] {
        let host = lab.host(name);
        let text = format!("Host app1\n HostName {}\n Port {}\n", host.address, host.port);
        fs::write(own.join("conf.d/app.conf"), text).expect("a configuration");
        lab.rfab(&["on:all", "hi"]).output().expect_ok();
        assert!(logins(&lab, name) > 0, "it is {name} that is meant now");
    }
}

#[test]
pub(super) fn what_start_up_files_print_confuses_nothing_and_a_password_is_asked_for_all_the_same() {
    if !needs_root("what_start_up_files_print_confuses_nothing_and_a_password_is_asked_for_all_the_same") {
        return;
    }
    let of = |name, shell| host(name).shell(shell).sudo(Sudo::Password);
    let plan = Plan::new().host(of("loud", "/bin/bash")).host(of("tcshy", "/bin/tcsh"));
    let lab = lab(plan.host(of("fishy", "/usr/bin/fish")));
    let tcsh = "echo welcome; sh -c 'echo sudo: welcome >&2'\n";
    fs::write(lab.host("tcshy").folder.join("home/deploy/.tcshrc"), tcsh).expect("a file");
    let loud = "echo welcome; echo 'sudo: welcome' >&2; printf 'no line end'; printf 'none here' >&2\n";
    fs::write(lab.host("loud").folder.join("home/deploy/.bashrc"), loud).expect("a file");
    let fish = lab.host("fishy").folder.join("home/deploy/.config/fish");
    fs::create_dir_all(&fish).expect("a folder");
    fs::write(fish.join("config.fish"), "echo welcome; echo 'sudo: welcome' >&2\n").expect("a file");
    lab.host("fishy").sh(&format!("chown -R deploy: {}/.config", lab.host("fishy").home())).expect_ok();
    for name in ["loud", "fishy", "tcshy"] {
        let which = format!("on:{name}");
        let run = lab.rfab(&[&which, "root"]).on_terminal().start();
        run.wait_for("sudo password on ");
        std::thread::sleep(Duration::from_millis(100));
        run.types(&format!("{PASSWORD}\n"));
        let out = run.output();
        assert_eq!(out.code, Some(0), "{out:?}");
        assert!(out.stdout.contains("| root") && !out.stdout.contains("welcome"), "{}", out.stdout);
    }
}

#[test]
pub(super) fn a_login_shell_that_hangs_or_prints_for_ever_is_named_in_time_and_ends_on_ctrl_c() {
    if !needs_lab("a_login_shell_that_hangs_or_prints_for_ever_is_named_in_time_and_ends_on_ctrl_c") {
        return;
    }
    let files = [
        ("hangs", "sleep 1000\n"),
        ("floods", "while :; do echo x; done\n"),
        ("errs", "while :; do echo x >&2; done\n"),
    ];
    let shells = files.iter().map(|(name, _)| host(name).shell("/bin/bash"));
    let lab = lab(shells.fold(Plan::new().host(host("alive")), Plan::host));
    for (name, text) in files {
        fs::write(lab.host(name).folder.join("home/deploy/.bashrc"), text).expect("a file");
    }
    let begun = Instant::now();
    let out = lab.rfab(&["on:all", "hi"]).output();
    // A machine that is busy has more time, but not without end.
    assert!(begun.elapsed() < Duration::from_secs(150), "{:?}", begun.elapsed());
    assert!(out.stdout.contains("| hi\n") && out.code != Some(0), "{out:?}");
    for (name, _) in files {
        let row = out.stdout.lines().find(|line| line.starts_with(&format!("{name} ")) && line.contains("login shell"));
        assert!(row.is_some(), "{name} isn't named: {}", out.stdout);
    }
    let run = lab.rfab(&["on:hangs,floods", "hi"]).start();
    std::thread::sleep(Duration::from_secs(8));
    let begun = Instant::now();
    for _ in 0..2 {
        run.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(!run.output().ok());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// See leonidas/ansible-nvm#5.
#[test]
pub(super) fn a_login_shell_that_runs_no_programs_is_named_also_where_the_lock_is_to_be() {
    if !needs_root("a_login_shell_that_runs_no_programs_is_named_also_where_the_lock_is_to_be") {
        return;
    }
    let said = [
        ("bound", "/bin/rbash", "rbash: line 1: exec: restricted"),
        ("closed", "/usr/sbin/nologin", "This account is currently not available."),
        ("gone", "/bin/false", "the login shell ended without output"),
    ];
    for (name, shell, why) in said {
        // The lock is on the first host by name.
        let lab = lab(Plan::new().host(host(name).shell(shell)).host(host("works")));
        for line in [["on:all", "hi"], ["on:works", "hi"]] {
            let out = lab.rfab(&line).output();
            assert_eq!(out.code, Some(1), "{out:?}");
            assert!(out.stdout.contains(&format!("host `{name}`: the command didn't begin: {why}")), "{out:?}");
            assert!(out.stdout.contains("a login shell that runs `exec /bin/sh`"), "{out:?}");
        }
    }
}

#[test]
fn a_host_that_allows_one_session_works_and_is_named_where_one_is_not_enough() {
    if !needs_lab("a_host_that_allows_one_session_works_and_is_named_where_one_is_not_enough") {
        return;
    }
    let lab = lab(Plan::new().host(host("web1").sshd("MaxSessions 1")));
    let out = lab.rfab(&["on:all", "three"]).output().expect_ok();
    assert_eq!(out.matches("| hi ").count(), 3, "{out}");
    // Another process holds the only session of the connection, which is still open.
    let folder = fs::read_dir(lab.folder.join("run/rfab")).expect("the folder of sockets");
    let socket = folder.flatten().map(|entry| entry.path()).find(|path| path.extension().is_none()).expect("a socket");
    let web = lab.host("web1").address.to_string();
    let words = ["-F", "none", "-S", &socket.display().to_string(), &web, "echo begun; sleep 60"].map(str::to_owned);
    let held = lab.program("ssh", &words.each_ref().map(String::as_str)).start();
    held.wait_for("begun");
    let out = lab.rfab(&["on:all", "hi"]).output();
    assert!(out.code != Some(0) && out.stdout.contains("raise `MaxSessions` in its sshd_config"), "{out:?}");
    held.kill();
}

#[test]
pub(super) fn a_host_without_proc_or_with_a_broken_dev_null_runs_commands() {
    if !needs_root("a_host_without_proc_or_with_a_broken_dev_null_runs_commands") {
        return;
    }
    let lab = lab(Plan::new().host(host("alive")).host(host("procless")).host(host("nullless")));
    lab.host("nullless").sh(": > /run/null; chmod 644 /run/null; mount --bind /run/null /dev/null").expect_ok();
    lab.host("procless").sh("mount -t tmpfs -o mode=700 tmpfs /proc").expect_ok();
    let out = lab.rfab(&["on:all", "three"]).output().expect_ok();
    assert_eq!(out.matches("| hi ").count(), 9, "{out}");
}

#[test]
pub(super) fn a_state_folder_that_cannot_be_written_is_found_before_anything_is_changed() {
    if !needs_lab("a_state_folder_that_cannot_be_written_is_found_before_anything_is_changed") {
        return;
    }
    let lab = lab(Plan::new().host(host("web1")).host(host("full")).host(host("stiff")));
    for name in ["full", "stiff"] {
        let (host, home) = (lab.host(name), lab.host(name).home());
        let state = format!("{home}/.local/state/rfab/testing1/run");
        match name {
            "full" => host.sh(&format!(
                "mkdir -p {state}; chown -R deploy: {home}/.local; mount -t tmpfs -o size=4k,mode=777 tmpfs {state}; head -c 4096 /dev/zero > {state}/x"
            )),
            _ => host.sh(&format!("mount --bind {home} {home}; mount -o remount,ro,bind {home}")),
        }
        .expect_ok();
    }
    let out = lab.rfab(&["on:all", "check"]).output();
    for (name, why) in [("full", "no space left on device"), ("stiff", "read-only file system")] {
        let line =
            out.stdout.lines().find(|line| line.starts_with(name) && line.contains("can't write to the state folder"));
        assert!(line.is_some_and(|line| line.contains(why)), "{name}: {out:?}");
    }
    let line = out.stdout.lines().find(|line| line.starts_with("web1 ") && line.contains("state folder"));
    assert_eq!(line, None, "{}", out.stdout);
    // A command that changes something reports the same, and doesn't start.
    let out = lab.rfab(&["on:full", "hi"]).output();
    assert!(out.stdout.contains("its state folder `~/.local/state/rfab/testing1/run` can't be written"), "{out:?}");
    assert!(!out.stdout.contains("status 254") && !out.stdout.contains("| hi"), "{out:?}");
    // With another state folder it works.
    lab.edit("fleets/testing1.toml", |text| format!("state = \"/var/tmp/rfab\"\n{text}"));
    let out = lab.rfab(&["on:all", "hi"]).output().expect_ok();
    assert_eq!(out.matches("| hi\n").count(), 3, "{out}");
}

/// See basecamp/kamal#589 and capistrano/capistrano#704.
#[test]
pub(super) fn a_key_with_a_passphrase_and_a_user_that_is_not_there_are_told_by_a_line_that_fails_alike() {
    if !needs_lab("a_key_with_a_passphrase_and_a_user_that_is_not_there_are_told_by_a_line_that_fails_alike") {
        return;
    }
    let lab = lab(Plan::new().host(host("web1")));
    let address = lab.host("web1").address;
    let (key, locked) = (lab.folder.join("operator/key"), lab.folder.join("operator/locked"));
    fs::copy(&key, &locked).expect("a key");
    let sealed = lab.program("ssh-keygen", &["-q", "-p", "-N", "a phrase", "-f", &locked.display().to_string()]);
    sealed.output().expect_ok();
    let help = format!("check `ssh -o BatchMode=yes {address}`, which asks nothing, as rfab does");
    let config = fs::read_to_string(lab.project.folder.join("fleets/ssh_config")).expect("a configuration");
    let another = config.replace("User deploy", "User nobody-of-that-name");
    for text in [config.replace(&key.display().to_string(), &locked.display().to_string()), another] {
        lab.edit("fleets/ssh_config", |_| text.clone());
        lab.edit("fleets/testing1.toml", |fleet| fleet.replace("user = \"deploy\"\n", ""));
        let out = lab.rfab(&["on:all", "hi"]).output();
        assert_eq!(out.code, Some(4), "{out:?}");
        assert!(out.stdout.contains(": Permission denied (publickey") && out.stdout.contains(&help), "{}", out.stdout);
    }
    // An agent that has the unlocked key is enough.
    lab.edit("fleets/ssh_config", |_| config);
    lab.rfab(&["on:all", "hi"]).output().expect_ok();
}

/// rfab would ask for a password, and send it, in vain: ansible/ansible#31131.
#[test]
pub(super) fn a_sudo_that_wants_a_terminal_is_told_and_no_password_is_asked_for() {
    if !needs_root("a_sudo_that_wants_a_terminal_is_told_and_no_password_is_asked_for") {
        return;
    }
    let lab = lab(Plan::new().host(host("web1").sudo(Sudo::Free)).host(host("web2").sudo(Sudo::Password)));
    for name in ["web1", "web2"] {
        // The file is the source of a mount there, so it is changed in place.
        let sudoers = lab.host(name).folder.join("etc/sudoers");
        let text = fs::read_to_string(&sudoers).expect("sudo's rules");
        fs::write(&sudoers, format!("Defaults requiretty\n{text}")).expect("sudo's rules");
        for run in
            [lab.rfab(&[&format!("on:{name}"), "root"]), lab.rfab(&[&format!("on:{name}"), "root"]).on_terminal()]
        {
            let out = run.output();
            assert_eq!(out.code, Some(1), "{out:?}");
            let why =
                format!("host `{name}`: sudo runs nothing as `root` (sudo: sorry, you must have a tty to run sudo)");
            assert!(out.stdout.contains(&why) && !out.stdout.contains("sudo password on"), "{}", out.stdout);
            assert!(
                out.stdout.contains("help: rfab gives sudo no terminal: add `Defaults !requiretty`"),
                "{}",
                out.stdout
            );
        }
        fs::write(&sudoers, format!("Defaults requiretty\n{text}Defaults:deploy !requiretty\n")).expect("sudo's rules");
    }
    lab.rfab(&["on:web1", "root"]).output().expect_ok();
}
