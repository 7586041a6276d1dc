//! Locks that are lost, locks that a run waits for, and a very long ledger: on real sshd and HAProxy.

use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rustix::process::Signal;
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Ends the process that holds a fleet's lock on a machine, as a broken connection would.
const UNLOCK: &str = "for fd in /proc/[0-9]*/fd/9; do case $(readlink \"$fd\") in */lock) pid=${fd#/proc/}; kill -9 \"${pid%%/*}\" ;; esac; done";

/// Changes all hosts twice, with a pause between.
const TWO: &str = "fn two() { let hosts = targets(); hosts.each(|host| host.run(\"touch /var/tmp/one\"));\n\
    clock::wait(\"5s\"); hosts.each(|host| host.run(\"touch /var/tmp/two\")); }\n";

/// Plans two groups of one behind `lb1`, and two hosts that are deployed to while they are live.
fn plan() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    let test = |name| HostPlan::new(name).fleet("testing1").role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group2"))
        .host(test("test1"))
        .host(test("test2"))
        .balancer("lb1", &[("bk_web", "web")])
}

#[test]
pub(super) fn who_lost_the_lock_changes_nothing_more_and_still_says_how_all_stands() {
    if !needs_lab("who_lost_the_lock_changes_nothing_more_and_still_says_how_all_stands") {
        return;
    }
    let lab = Lab::start(plan());
    lab.edit("fabfile.rhai", |text| text + TWO);
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["testing", "setup"]).output().expect_ok();
    for (fleet, home, hosts) in [("prod", "lb1", ["web1", "web2"]), ("testing", "test1", ["test1", "test2"])] {
        let first = lab.rfab(&[fleet, "two"]).start();
        first.wait_for("touch /var/tmp/one");
        sleep(Duration::from_millis(1_500));
        lab.host(home).sh(UNLOCK).expect_ok();
        let taken = lab.rfab(&[fleet, "--", "true"]).output();
        assert_eq!(taken.code, Some(0), "the lock is free: {taken:?}");
        let lost = first.output();
        assert_eq!(lost.code, Some(9), "{lost:?}");
        let why = format!("still has the lock on `{home}`: its keeper doesn't answer");
        assert!(lost.stdout.contains(&why), "{lost:?}");
        for host in hosts {
            let made = lab.host(host).sh("ls /var/tmp").stdout;
            assert!(made.contains("one\n") && !made.contains("two\n"), "{host}: {made}");
            let row = lost.stdout.lines().rfind(|line| line.starts_with(host)).unwrap_or_default();
            assert!(!row.contains("unknown"), "{row}");
            assert!(fleet != "prod" || row.contains("live"), "{row}");
        }
    }
}

#[test]
pub(super) fn a_wait_for_a_lock_ends_at_the_first_signal_and_no_two_runs_wait_for_each_other() {
    if !needs_lab("a_wait_for_a_lock_ends_at_the_first_signal_and_no_two_runs_wait_for_each_other") {
        return;
    }
    let lab = Lab::start(plan());
    let hold =
        "fn hold(time) { balancer::lock(targets()); ui::note(`has ${targets().names()}`); clock::wait(time); }\n";
    lab.edit("fabfile.rhai", |text| text + hold);
    let first = lab.rfab(&["prod", "hold:20s"]).start();
    first.wait_for("has web1");
    let waits = lab.rfab(&["--wait", "prod", "hold:1s"]).start();
    waits.wait_for("is locked by");
    let told = Instant::now();
    assert!(waits.signal(Signal::TERM), "it waits");
    let ended = waits.output();
    assert_eq!(ended.code, Some(143), "{ended:?}");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    assert_eq!(first.output().code, Some(0));

    // `prod` comes before `testing1` in the order of locks, so a run that has `testing1` doesn't wait for it.
    let one = lab.rfab(&["--wait", "prod", "hold:4s", "testing", "hold:1s"]).start();
    one.wait_for("has web1");
    let other = lab.rfab(&["--wait", "testing", "hold:3s", "prod", "hold:1s"]).start();
    other.wait_for("has test1");
    let (one, other) = (one.output(), other.output());
    assert_eq!((one.code, other.code), (Some(0), Some(5)), "{one:?}\n{other:?}");
    assert!(
        other.stdout.contains("This run already has the lock of `testing1`, so it doesn't wait for `prod`"),
        "{other:?}"
    );
}

#[test]
fn a_long_ledger_is_rotated_and_forgets_nothing_that_was_done_once() {
    if !needs_lab("a_long_ledger_is_rotated_and_forgets_nothing_that_was_done_once") {
        return;
    }
    let lab = Lab::start(plan());
    lab.rfab(&["prod", "setup"]).output().expect_ok();
    lab.rfab(&["prod", "release:v3.0.1"]).output().expect_ok();
    let migrated = || lab.host("web1").sh("cat /srv/shop/shared/migrated").stdout.lines().count();
    assert_eq!(migrated(), 1);
    // Sixty thousand lines of other runs, and one torn line.
    let state = format!("{}/.local/state/rfab/prod", lab.host("lb1").home());
    let there = |line: &str| lab.host("lb1").sh(&format!("cd {state} && {line}")).expect_ok();
    let write = r#"grep '"drain"\|"ready"' ledger > some && printf '{"v":1,"run":"torn' >> ledger &&
        awk '{ all[NR] = $0 } END { for (i = 0; i < 10000; i++) for (j = 1; j <= NR; j++) {
            line = all[j]; sub(/"run":"[^"]*"/, "\"run\":\"other" i "\"", line); print line } }' some >> ledger &&
        rm some && wc -l < ledger"#;
    let lines = there(write);
    assert!(lines.trim().parse::<usize>().expect("a number") > 50_000, "{lines}");
    lab.colleague("berta").release("v3.0.2");
    let began = Instant::now();
    lab.rfab(&["prod", "release:v3.0.2"]).output().expect_ok();
    println!("a release behind a ledger of {} lines takes {:?}", lines.trim(), began.elapsed());
    let kept = there("ls && wc -l < ledger && wc -l < ledger-1");
    let counts: Vec<usize> = kept.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert!(counts[0] < 5_000 && counts[1] > 50_000, "{kept}");
    // A commit that was migrated long ago isn't migrated again, and its release keeps its number.
    lab.rfab(&["prod", "release:v3.0.1"]).output().expect_ok();
    assert_eq!(migrated(), 2, "once for each of two commits");
    let current = lab.host("web1").sh("readlink /srv/shop/current").stdout;
    assert!(current.contains("0002-"), "{current}");
}
