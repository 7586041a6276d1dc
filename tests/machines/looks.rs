//! For each change, `look` tells what was done from what wasn't, in the real lab and on the model.

use crate::sides::{Sides, holder, line};
use lab::{HostPlan, Lab, Plan, Sudo, needs_lab};
use rfab::{
    balancer::{SetAdmin, SetWeight},
    bookkeeping::{Mark, MarkState},
    command::Command,
    effect::{Admin, Happened},
    git::{Change, ChangeRepository, Pushed},
    model::{Fact, Release},
    release::{Activate, Home, Prune, ReadReleases, RecordNumber, SetUp, Stage},
    remote::{Exec, Get, On, Put, WriteFile},
    service::{ChangeService, ServiceChange},
};
use std::{
    thread,
    time::{Duration, Instant},
};

fn two() -> Plan {
    let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
    Plan::new()
        .serving("v3.0.0")
        .host(web("web1", "group1"))
        .host(web("web2", "group2"))
        .balancer("lb1", &[("bk_web", "web")])
}

fn exec(sides: &Sides, host: &str, line: &str, any_status: bool) -> Exec {
    let (on, command) = (On::from(sides.host(host)), Command::line(line, Vec::new()).unwrap());
    Exec { on, command, any_status, state: sides.fleet.state.clone() }
}

#[test]
fn of_releases_and_files() {
    if !needs_lab("of_releases_and_files") {
        return;
    }
    let lab = Lab::start(two());
    let sides = Sides::of(&lab);
    let host = sides.host("web1");
    let home = Home::of(&sides.fleet, &host).unwrap();
    sides.learn(&ReadReleases { host: host.clone(), home: home.clone() });
    sides.told_apart(&SetUp { host: host.clone(), home: home.clone() });
    let stable = Release { number: 2, commit: lab.project.resolve("v3.0.1").as_str().into() };
    sides.told_apart(&Stage::of(&sides.fleet, &host, &stable).unwrap());
    sides.told_apart(&Activate {
        host: host.clone(),
        release: stable,
        home: home.clone(),
        assets: vec![],
        names: vec![],
    });
    for number in 3..6 {
        let commit = lab.colleague(&format!("c{number}")).release(&format!("v3.1.{number}"));
        lab.project.git(&["fetch", "-q", "origin"]).expect_ok();
        let release = Release { number, commit: commit.as_str().into() };
        sides.told_apart(&Stage::of(&sides.fleet, &host, &release).unwrap());
    }
    sides.told_apart(&Prune { host: host.clone(), home: home.clone(), keep: 1 });

    let (on, path) = (On::from(host), "/var/tmp/greeting".to_owned());
    sides.told_apart(&WriteFile { on: on.clone(), path: path.clone(), text: "hello\n".into(), secret: false });
    sides.told_apart(&WriteFile { on: on.clone(), path: path.clone(), text: "hello!\n".into(), secret: false });
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("sent"), "sent").unwrap();
    sides.told_apart(&Put { on: on.clone(), from: here.path().join("sent"), to: path.clone() });
    sides.told_apart(&Get { on, from: path, to: here.path().join("got") });
}

#[test]
fn of_the_balancer_and_the_ledger() {
    if !needs_lab("of_the_balancer_and_the_ledger") {
        return;
    }
    let lab = Lab::start(two());
    let sides = Sides::of(&lab);
    let fleet = &sides.fleet;
    sides.model(|model| model.servers.values_mut().for_each(|s| (s.weight, s.configured) = (1, 1)));
    let set = |names: &[&str], to| {
        let hosts = names.iter().map(|name| sides.host(name)).collect();
        SetAdmin { fleet: fleet.clone(), hosts, to, reason: "test".into(), typed: false }
    };
    sides.told_apart(&set(&["web1"], Admin::Drain));
    // If one of two is done, the change isn't done.
    sides.told_apart(&set(&["web1", "web2"], Admin::Drain));
    sides.told_apart(&set(&["web1", "web2"], Admin::Ready));
    let weight = |percent| SetWeight { fleet: fleet.clone(), host: sides.host("web1"), percent };
    sides.told_apart(&weight(0));
    sides.told_apart(&weight(100));

    sides.same(&rfab::balancer::Lock { fleet: fleet.clone(), holder: holder("r1"), take: true, wait: false }).unwrap();
    let commit: rfab::host::Name = lab.project.resolve("v3.0.1").as_str().into();
    for run in ["r1", "r2"] {
        let (name, line) = ("v3.0.1".into(), line(run));
        sides.told_apart(&RecordNumber {
            fleet: fleet.clone(),
            commit: commit.clone(),
            name,
            names: vec![],
            known: None,
            renumbered: false,
            content: None,
            highest: 1,
            line,
        });
    }
    for state in [MarkState::Begun, MarkState::Done, MarkState::Begun, MarkState::Failed] {
        let (name, line) = ("migrate".into(), line("r1"));
        sides.told_apart(&Mark { fleet: fleet.clone(), name, commit: commit.clone(), state, line });
    }
}

/// Checks that a command is seen while it runs, which only the real world can show.
fn one_that_still_runs_is_seen_to_run(sides: &Sides) {
    let slow = exec(sides, "web2", "sleep 3", false);
    let number = sides.real.number();
    assert_eq!(sides.real.look_as(number, &slow).unwrap(), Happened::Not);
    thread::scope(|scope| {
        scope.spawn(|| sides.real.perform_as(number, &slow).unwrap());
        let deadline = Instant::now() + Duration::from_secs(10);
        while sides.real.look_as(number, &slow).unwrap() == Happened::Not {
            assert!(Instant::now() < deadline, "it is never seen to run");
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(sides.real.look_as(number, &slow).unwrap(), Happened::Running);
    });
    assert!(matches!(sides.real.look_as(number, &slow).unwrap(), Happened::Done(_)));
}

/// Checks a command that was killed on the host, together with the process that would have written down its end.
fn one_that_was_killed_cannot_be_told(lab: &Lab, sides: &Sides) {
    let killed = exec(sides, "web2", "sleep 77", false);
    let number = sides.real.number();
    thread::scope(|scope| {
        let ran = scope.spawn(|| sides.real.perform_as(number, &killed));
        let deadline = Instant::now() + Duration::from_secs(10);
        while sides.real.look_as(number, &killed).unwrap() != Happened::Running {
            assert!(Instant::now() < deadline, "it is never seen to run");
            thread::sleep(Duration::from_millis(50));
        }
        let of_it = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q 'sleep 77' && kill -9 ${p#/proc/}; done; true";
        let _ = lab.host("web2").sh(of_it);
        assert!(ran.join().unwrap().is_err());
    });
    assert_eq!(sides.real.look_as(number, &killed).unwrap(), Happened::Cannot);
}

#[test]
fn of_services_and_commands_which_were_never_started_still_run_or_ended() {
    if !needs_lab("of_services_and_commands_which_were_never_started_still_run_or_ended") {
        return;
    }
    let lab = Lab::start(two());
    let sides = Sides::of(&lab);
    let service =
        |host: &str, change| ChangeService::of(&sides.fleet, &sides.host(host), &"shop".into(), change).unwrap();
    for change in [ServiceChange::Restart, ServiceChange::Stop, ServiceChange::Start] {
        sides.told_apart(&service("web1", change));
    }
    // Another call of the same restart hasn't been made yet.
    assert_eq!(sides.look_as(99, &service("web1", ServiceChange::Restart)).unwrap(), Happened::Not);

    sides.told_apart(&exec(&sides, "web1", "true", false));
    let failing = exec(&sides, "web1", "exit 3", true);
    let web1 = sides.host("web1");
    let said = rfab::model::ModelOutput { status: 3, ..Default::default() };
    sides.model(|model| {
        model.machine(&web1).unwrap().says = Fact::Told([(failing.command.shown(), said)].into());
    });
    let number = sides.real.number();
    sides.real.perform_as(number, &failing).unwrap();
    sides.made_up.perform_as(number, &failing).unwrap();
    let Happened::Done(ended) = sides.look_as(number, &failing).unwrap() else { panic!("it ended") };
    assert_eq!(ended.status, 3);
    // An effect that expects status 0 returns the same failure again.
    let failing = Exec { any_status: false, ..failing };
    assert_eq!(sides.look_as(number, &failing).unwrap_err().status, Some(3));

    one_that_still_runs_is_seen_to_run(&sides);
    one_that_was_killed_cannot_be_told(&lab, &sides);
}

#[test]
fn of_repositories() {
    if !needs_lab("of_repositories") {
        return;
    }
    let lab = Lab::start(Plan::new().host(HostPlan::new("web1").fleet("prod").role("web").sudo(Sudo::Free)));
    let sides = Sides::of(&lab);
    let git = |change| ChangeRepository { repository: lab.project.folder.display().to_string(), change };
    sides.told_apart(&git(Change::Tag { name: "v9".into(), commit: lab.project.resolve("v3.0.1"), message: None }));
    sides.told_apart(&git(Change::Push { what: vec![Pushed::Tag("v9".into()), Pushed::Branch("main".into())] }));
    // The simulator makes no commits, so only the real world has these.
    lab.project.write("CHANGES", "one\n");
    let commit = git(Change::Commit { message: "one".into(), files: vec!["CHANGES".into()] });
    let merge = git(Change::Merge { reference: "my-branch".into() });
    for change in [commit, merge] {
        let number = sides.real.number();
        assert_eq!(sides.real.look_as(number, &change).unwrap(), Happened::Not);
        let made = sides.real.perform_as(number, &change).unwrap();
        assert_eq!(sides.real.look_as(number, &change).unwrap(), Happened::Done(made));
        assert!(sides.made_up.perform_as(number, &change).is_err());
    }
}
