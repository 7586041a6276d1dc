//! Hosts and connections that are dead, mute or frozen: rfab reports them in bounded time and continues with the
//! others.

use lab::{HostPlan, Kind, Lab, Plan, Running, needs_lab, proc};
use rustix::process::Signal;
use std::time::{Duration, Instant};

fn host(name: &'static str) -> HostPlan {
    HostPlan::new(name).fleet("testing1").role("web")
}

fn lab(hosts: impl IntoIterator<Item = HostPlan>) -> Lab {
    let lab = Lab::start(hosts.into_iter().fold(Plan::new(), Plan::host));
    lab.edit("fabfile.rhai", |_| {
        "fn on(which) { fleet(\"fleets/testing1.toml\").select(which) }\n\
         fn hi() { targets().parallel(|host| host.run(\"echo hi\")); }\n\
         fn held() { targets().each(|host| host.run(sh(\"echo begun; while [ ! -e go ]; do sleep 0.05; done\"))); }\n\
         fn long() { targets().parallel(|host| host.run(sh(\"echo begun; sleep 20; touch done\"))); }\n\
         fn twice() { targets().parallel(|host| { for i in [1, 2] {\n\
             ui::note(host, `call ${i}`);\n\
             try { host.run(sh(\"echo begun; sleep 30\")); }\n\
             catch (f) { ui::note(host, `call ${i}: ${f.kind}`); } } host.run(\"echo still there\"); }); }\n"
            .into()
    });
    lab
}

#[test]
pub(super) fn dead_mute_and_frozen_hosts_are_told_in_bounded_time_while_the_others_go_on() {
    if !needs_lab("dead_mute_and_frozen_hosts_are_told_in_bounded_time_while_the_others_go_on") {
        return;
    }
    let kinds = [("dead", Kind::Dead), ("hole", Kind::BlackHole), ("mute", Kind::Mute)];
    let lab = lab([host("alive"), host("stiff")].into_iter().chain(kinds.map(|(name, kind)| host(name).kind(kind))));
    lab.host("stiff").freeze();
    let begun = Instant::now();
    let out = lab.rfab(&["on:all", "hi"]).output();
    let took = begun.elapsed();
    assert_eq!(out.code, Some(4), "{out:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    for (name, why) in [
        ("dead", "Connection refused"),
        ("hole", "Connection timed out"),
        ("mute", "timed out during banner exchange"),
        ("stiff", "timed out during banner exchange"),
    ] {
        // A row in the table, and one report, which hosts with the same failure share.
        let row = |l: &&str| l.starts_with(&format!("{name} ")) && l.contains(" failed  can't be reached: ");
        let rows: Vec<&str> = out.stdout.lines().filter(row).collect();
        assert!(rows.len() == 1 && rows[0].contains(why), "{name}: {rows:?}\n{}", out.stdout);
        let told = out.stdout.split("\nhost ").next().expect("what stands before the table");
        let reports = told.split("\nerror: ").skip(1).filter(|report| report.contains(name)).count();
        assert_eq!(reports, 1, "{name}\n{}", out.stdout);
    }
    assert!(out.stdout.contains("| hi\n") && out.stdout.contains("5 hosts: 1 ok, 4 failed"), "{}", out.stdout);

    // A host that freezes while a command runs: rfab can't tell how that ended, so it doesn't call it a failure.
    lab.host("stiff").thaw();
    let run = lab.rfab(&["on:alive,stiff", "long"]).start();
    wait_for_two(&run);
    lab.host("stiff").freeze();
    let begun = Instant::now();
    while !run.so_far().0.contains("rfab can't tell") {
        assert!(begun.elapsed() < Duration::from_secs(40) && !run.is_over(), "{:?}", run.so_far());
        std::thread::sleep(Duration::from_millis(50));
    }
    let out = run.output();
    assert_eq!(out.code, Some(9), "{out:?}");
    assert!(out.stdout.contains("host `stiff`: rfab can't tell how the command ended"), "{}", out.stdout);
    assert!(out.stdout.contains("2 hosts: 1 ok, 1 unknown"), "{}", out.stdout);
}

/// Waits until two commands have begun.
fn wait_for_two(run: &Running<'_>) {
    let begun = Instant::now();
    while run.so_far().0.matches("| begun").count() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20) && !run.is_over(), "{:?}", run.so_far());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the ssh process that holds a run's connection to one host. The lock's own connection persists for another
/// time.
fn master(run: &Running<'_>, persist: &str) -> i32 {
    let is_shared = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&format!("ControlPersist={persist}"))
    };
    let processes = run.processes();
    let masters: Vec<i32> = processes.iter().filter(|p| !p.stopped).map(|p| p.pid).filter(is_shared).collect();
    assert_eq!(masters.len(), 1, "{processes:?}");
    masters[0]
}

#[test]
fn a_killed_or_frozen_ssh_process_hangs_no_call_and_the_next_call_has_a_new_one() {
    if !needs_lab("a_killed_or_frozen_ssh_process_hangs_no_call_and_the_next_call_has_a_new_one") {
        return;
    }
    let lab = lab([host("web1")]);
    let run = lab.rfab(&["on:web1", "twice"]).start();
    run.wait_for("call 1\n");
    run.wait_for("| begun");
    assert!(proc::signal(master(&run, "60"), Signal::KILL));
    run.wait_for("call 1: unknown\n");
    wait_for_two(&run);
    let begun = Instant::now();
    assert!(proc::signal(master(&run, "60"), Signal::STOP));
    run.wait_for("call 2: unknown\n");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    run.wait_for("still there");
    let out = run.output();
    assert_eq!(out.code, Some(0), "the script got over it: {out:?}");
}

#[test]
fn a_frozen_ssh_process_of_the_lock_hangs_no_end_of_a_run() {
    if !needs_lab("a_frozen_ssh_process_of_the_lock_hangs_no_end_of_a_run") {
        return;
    }
    let lab = lab([host("web1")]);
    let run = lab.rfab(&["on:web1", "held"]).start();
    run.wait_for("| begun");
    assert!(proc::signal(master(&run, "30"), Signal::STOP));
    std::fs::write(lab.host("web1").folder.join("home/deploy/go"), "").expect("a file on the host");
    let begun = Instant::now();
    let out = run.output();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(out.code, Some(0), "{out:?}");
}
