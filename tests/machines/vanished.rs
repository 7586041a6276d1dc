//! Nobody watches any more: the reader of a pipe goes away, or a terminal is closed. A run still comes to a good end.

use lab::{HostPlan, Lab, Plan, Running, Sudo, needs_lab, proc};
use rustix::process::Signal;
use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

const TASKS: &str = r#"
fn careful() {
    targets().each(|host| {
        defer(|| { host.run("touch restored"); });
        host.run(sh("touch begun; sleep 2.5; touch finished"));
        host.run("touch more");
    });
}
fn talk() { targets().each(|host| { for n in 1..4 { host.run(sh("sleep 0.1; echo talk")); } host.run("touch more"); }); }
"#;

/// Starts two groups of two behind `lb1`, and sets them up.
fn four() -> Lab {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let hosts = [("web1", "group1"), ("web2", "group1"), ("web3", "group2"), ("web4", "group2")];
    let plan = hosts.into_iter().fold(Plan::new().serving("v3.0.0"), |plan, (name, group)| plan.host(web(name, group)));
    let lab = Lab::start(plan.balancer("lb1", &[("bk_web", "web")]));
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab
}

/// Starts a host, with the tasks.
fn one() -> Lab {
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)));
    lab.edit("fabfile.rhai", |text| text + TASKS);
    lab
}

/// Returns the tasks' files in the host's home, and removes them.
fn made(lab: &Lab) -> String {
    let found = lab.host("web1").sh("cd ~deploy && ls begun finished more restored 2>/dev/null | tr '\\n' ' '").stdout;
    lab.host("web1").sh("cd ~deploy && rm -f begun finished more restored").expect_ok();
    found.trim().to_owned()
}

fn wait(what: &str, until: impl Fn() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(20));
    }
}

fn rfab(run: &Running<'_>) -> Option<i32> {
    run.processes().iter().find(|process| process.name == "rfab").map(|process| process.pid)
}

#[test]
pub(super) fn a_release_whose_output_nobody_reads_any_more_goes_on_to_its_end() {
    if !needs_lab("a_release_whose_output_nobody_reads_any_more_goes_on_to_its_end") {
        return;
    }
    let lab = four();
    let piped = |words: &str| {
        let line = format!("\"$0\" {words} | head -n 1; echo \"ended with ${{PIPESTATUS[0]}}\"");
        lab.program("bash", &["-c", &line, env!("CARGO_BIN_EXE_rfab")]).output()
    };
    let load = lab.load(100);
    load.wait_for(20);
    let told = piped("prod release:stable");
    assert_eq!(told.stdout, "rfab prod release:stable\nended with 0\n", "{told:?}");
    let [warning] = told.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{told:?}") };
    let run = warning
        .strip_prefix("warning: its output can't be written any more, but the run continues; `rfab --show ")
        .and_then(|rest| rest.strip_suffix("` tells how it ends"));
    let shown = lab.rfab(&["--show", run.expect(warning)]).output().expect_ok();
    assert!(
        shown.contains("\nended with exit code 0 after ") && shown.contains("\n4 hosts: 4 ok; still serving "),
        "{shown}"
    );
    let commit = lab.project.resolve("v3.0.1");
    for host in ["web1", "web2", "web3", "web4"] {
        assert_eq!(lab.host(host).serves().as_deref(), Some(&commit[..12]), "{host}");
        assert_eq!(lab.balancer("lb1").column("bk_web", "status")[host], "UP", "{host}");
    }
    load.stop().expect_none_failed();

    lab.edit("fabfile.rhai", |text| text + TASKS);
    let told = piped("--json --limit web1 prod talk");
    assert!(told.stdout.starts_with("{\"v\":1,") && told.stdout.ends_with("}\nended with 0\n"), "{told:?}");
    assert_eq!((told.stderr.matches("warning: ").count(), &*made(&lab)), (1, "more"), "{told:?}");
}

#[test]
pub(super) fn a_run_whose_terminal_was_closed_ends_what_it_does_and_restores_and_leaves_nothing_behind() {
    if !needs_lab("a_run_whose_terminal_was_closed_ends_what_it_does_and_restores_and_leaves_nothing_behind") {
        return;
    }
    let lab = one();
    for kind in ["dumb", "xterm-256color"] {
        let run = lab.rfab(&["prod", "careful"]).env("TERM", kind).on_terminal().start();
        let home = lab.host("web1").home();
        wait("it begins", || lab.host("web1").sh(&format!("test -e {home}/begun")).ok());
        let pid = rfab(&run).expect("it runs");
        // The terminal ends with the program that made it.
        assert!(run.signal(Signal::KILL));
        wait("it is told", || run.is_over());
        // The dying shell sends this signal too, and so does the kernel for the shell.
        while rfab(&run) == Some(pid) && proc::signal(pid, Signal::HUP) {
            sleep(Duration::from_millis(200));
        }
        assert_eq!(made(&lab), "begun finished restored", "{kind}");
        let newest = lab.rfab(&["--history", "--json", "--newest", "1"]).output().expect_ok();
        let ended = newest.contains(r#""outcome":"interrupted","exit":129"#);
        assert!(ended && newest.contains(r#""line":"prod careful""#), "{newest}");
        let own = |pid: i32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == b"sleep\x002.5\0");
        let left = lab.host("web1").processes();
        assert!(!left.iter().any(|process| own(process.pid)), "{left:?}");
    }
}

#[test]
fn a_run_under_nohup_does_not_heed_the_end_of_its_terminal() {
    if !needs_lab("a_run_under_nohup_does_not_heed_the_end_of_its_terminal") {
        return;
    }
    let lab = one();
    let run = lab.program("nohup", &[env!("CARGO_BIN_EXE_rfab"), "prod", "careful"]).start();
    let home = lab.host("web1").home();
    wait("it begins", || lab.host("web1").sh(&format!("test -e {home}/begun")).ok());
    assert!(run.signal(Signal::HUP));
    let told = run.output();
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(!told.stdout.contains("interrupted"), "{told:?}");
    assert_eq!(made(&lab), "begun finished more restored");
}
