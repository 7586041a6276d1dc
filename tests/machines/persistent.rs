//! Connections that stay open for later runs: when they are used, and what closes them.

use lab::{Host, HostPlan, Lab, Plan, needs_lab};
use std::fs;

fn lab() -> Lab {
    let host = |name| HostPlan::new(name).fleet("testing1").role("web");
    let lab = Lab::start(Plan::new().host(host("web1")).host(host("web2")));
    lab.edit("fabfile.rhai", |_| "fn on() { fleet(\"fleets/testing1.toml\") }\n".into());
    lab
}

/// Returns how often somebody logged in on both hosts.
fn logins(lab: &Lab) -> usize {
    ["web1", "web2"].map(|name| lab.host(name).sshd_log().matches("Accepted publickey").count()).iter().sum()
}

/// Types a line that reads on both hosts, and returns how many logins it took. A change would log in for its lock, too.
#[track_caller]
fn run(lab: &Lab, more: &[&str]) -> usize {
    let before = logins(lab);
    let out = lab.rfab(&[&["on"], more, &["--read", "--", "echo", "hi"]].concat()).output().expect_ok();
    assert_eq!(out.matches("| hi\n").count(), 2, "{out}");
    logins(lab) - before
}

/// Returns the names of the open connections.
fn open(lab: &Lab) -> Vec<String> {
    let out = lab.rfab(&["--connections"]).output().expect_ok();
    let named = |line: &str| line.split("  open for ").next().map(|name| name.trim_end().to_owned());
    out.lines().filter(|line| line.contains("  open for ")).filter_map(named).collect()
}

fn named(host: &Host) -> String {
    format!("testing1 {}", host.address)
}

#[test]
fn lines_of_a_day_log_in_once_and_a_flag_or_the_fleet_ends_that() {
    if !needs_lab("lines_of_a_day_log_in_once_and_a_flag_or_the_fleet_ends_that") {
        return;
    }
    let lab = lab();
    let none = "No connection is open.\n";
    assert_eq!(lab.rfab(&["--connections"]).output().expect_ok(), none);
    assert_eq!([run(&lab, &[]), run(&lab, &[]), run(&lab, &["--limit", "all"])], [2, 0, 0]);
    let both: Vec<String> = ["web1", "web2"].map(|name| named(lab.host(name))).to_vec();
    assert_eq!(open(&lab), both);
    // With the flag, a run uses none and leaves none.
    assert_eq!(run(&lab, &["--no-persist"]), 2);
    assert_eq!(open(&lab), both);
    let closed = lab.rfab(&["--disconnect"]).output().expect_ok();
    assert_eq!(closed, both.iter().map(|name| format!("closed {name}\n")).collect::<String>());
    assert_eq!(lab.rfab(&["--disconnect"]).output().expect_ok(), none);
    assert_eq!(run(&lab, &[]), 2);
    lab.rfab(&["--disconnect"]).output().expect_ok();
    lab.edit("fleets/testing1.toml", |text| format!("persist = \"0s\"\n{text}"));
    assert_eq!([run(&lab, &[]), run(&lab, &[])], [2, 2]);
    assert_eq!(lab.rfab(&["--connections"]).output().expect_ok(), none);
}

#[test]
fn what_decides_a_login_ends_a_connection_when_it_changes() {
    if !needs_lab("what_decides_a_login_ends_a_connection_when_it_changes") {
        return;
    }
    let lab = lab();
    let home = lab.home().join(".ssh");
    let write = |name: &str, text: &str| fs::write(home.join(name), text).expect("a file of the user");
    let key = lab.folder.join("operator/key.pub");
    let changes: [(&str, &dyn Fn()); 7] = [
        ("the project's known hosts", &|| lab.edit("known_hosts", |text| format!("{text}# a comment\n"))),
        ("the user's known hosts", &|| write("known_hosts", "# none\n")),
        ("the user's configuration", &|| write("config", "Host other\n    Port 23\nInclude more\n")),
        ("a file that it includes", &|| write("more", "Host more\n    RevokedHostKeys ~/.ssh/revoked\n")),
        ("the revoked keys", &|| write("revoked", "# none yet\n")),
        ("another key of the user", &|| write("id_ed25519.pub", "ssh-ed25519 AAAA anna\n")),
        ("the key that the fleet names", &|| {
            let text = fs::read_to_string(&key).expect("a key");
            fs::write(&key, format!("{} other\n", text.trim_end())).expect("a key");
        }),
    ];
    assert_eq!(run(&lab, &[]), 2);
    for (what, change) in changes {
        assert_eq!(run(&lab, &[]), 0, "before {what} changes");
        change();
        assert_eq!(run(&lab, &[]), 2, "after {what} changed");
        assert_eq!(open(&lab).len(), 2, "the older connections are closed: {what}");
    }
    // A host whose key is revoked isn't reached over a connection that is open.
    let host = lab.host("web1");
    lab.edit("known_hosts", |text| format!("{text}@revoked {} {}\n", host.known_as(), host.host_key()));
    let out = lab.rfab(&["on", "--read", "--", "echo", "hi"]).output();
    assert_eq!((out.code, out.stdout.matches("| hi\n").count()), (Some(4), 1), "{out:?}");
}

#[test]
fn a_connection_that_died_is_opened_again() {
    if !needs_lab("a_connection_that_died_is_opened_again") {
        return;
    }
    let lab = lab();
    assert_eq!(run(&lab, &[]), 2);
    // The server restarts, and its sessions are gone.
    let host = lab.host("web1");
    host.stop_sshd();
    host.start_sshd();
    assert_eq!(run(&lab, &[]), 1);
    assert_eq!(run(&lab, &[]), 0);
    assert_eq!(open(&lab).len(), 2);
}
