//! The second and third attempts at a run, after what earlier ones left, in fabfiles that make it hard.

use crate::journals;
use crate::made_up::{Shop, failures};
use rfab::{
    event::EffectKind,
    failure::Exit,
    line,
    model::{Fact, Machine, Model, ModelOutput},
    secret::DigestKey,
    session::{Fault, Journaling, OnUnknownOutcome},
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, Record, records},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A line of a shop, and the folder with its journals.
struct Trial {
    shop: Shop,
    words: &'static str,
    before: Model,
    folder: tempfile::TempDir,
}

const RESUMED: &str =
    r#"{"resumed":{"who":"tester","on_behalf_of":null,"from":"simulator","since":"1970-01-01T00:00:00Z"}}"#;

impl Trial {
    fn of(tasks: &str, words: &'static str) -> Trial {
        let shop = Shop::four(tasks);
        let mut before = shop.known();
        before.runs += 1;
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        Trial { shop, words, before, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn attempt(&self, model: Model, fault: Option<Fault>, name: &str, doubt: OnUnknownOutcome) -> Simulation {
        let file = self.file(name);
        let words: Vec<String> = self.words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.shop.project.tasks).unwrap();
        let keep = if !file.exists() {
            Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default())
        } else {
            let past = EarlierAttempts::of(records(&file).unwrap());
            let journal = journals::reopen(&file);
            journal.append(RESUMED.as_bytes(), false).unwrap();
            Journaling::new(journal, past, DigestKey::default())
        };
        let wish = Scenario { seed: 1, fault, ..Scenario::default() };
        simulate_attempt(&self.shop.project, &line, model, wish, Some(Journaling { doubt, ..keep }))
    }

    /// Returns how many effects the line has without a fault.
    fn effects(&self) -> u32 {
        let calm = self.attempt(self.before.clone(), None, "calm", OnUnknownOutcome::Ask);
        assert_eq!(calm.ended.exit, Exit::Done, "{:?}", failures(&calm));
        calm.effects
    }
}

fn machine<'a>(model: &'a mut Model, host: &str) -> &'a mut Machine {
    model.machines.get_mut(&("prod".into(), host.into())).unwrap()
}

/// Makes these commands fail on a host; all others succeed.
fn fails(model: &mut Model, host: &str, commands: &[&str]) {
    let status = |command: &&str| (command.to_string(), ModelOutput { status: 1, ..ModelOutput::default() });
    machine(model, host).says = Fact::Told(commands.iter().map(status).collect::<BTreeMap<_, _>>());
}

/// Returns all commands that a host has run.
fn commands(model: &Model, host: &str) -> String {
    let all = &model.machines[&("prod".into(), host.into())].changes;
    all.iter().map(|command| command.trim_matches('`').trim_start_matches("bin/")).collect::<Vec<_>>().join(" ")
}

fn none(found: &[String]) {
    assert!(found.is_empty(), "{} ended otherwise: {}", found.len(), found[..found.len().min(4)].join("\n"));
}

#[test]
fn what_a_scope_that_ended_well_deferred_is_not_done_again() {
    let trial = Trial::of(
        r#"
fn serviced() {
    targets().role("worker").each(|host| {
        scope(|| { host.run("bin/close"); defer(|| host.run("bin/open")); host.run("bin/work"); });
        scope(|| { defer(|| host.run("bin/mail")); host.run("bin/more"); });
        defer(|| host.run("bin/bye"));
        host.run("bin/after");
    });
    targets().role("worker").each(|host| host.run("bin/last"));
}
"#,
        "prod serviced",
    );
    let mut found = Vec::new();
    for at in 0..trial.effects() {
        for fault in [Fault::KilledBefore(at), Fault::KilledAmid(at), Fault::KilledAfter(at)] {
            let name = format!("{fault:?}");
            let died = trial.attempt(trial.before.clone(), Some(fault), &name, OnUnknownOutcome::Ask);
            let resumed = trial.attempt(died.model, None, &name, OnUnknownOutcome::Ask);
            let done = commands(&resumed.model, "jobs1");
            if (resumed.ended.exit, &*done) != (Exit::Done, "close work open more mail after bye last") {
                found.push(format!("{name}: {:?} {done} {:?}", resumed.ended.exit, failures(&resumed)));
            }
        }
    }
    none(&found);
}

const GATHERED: &str = r#"
fn gathered() {
    targets().role("worker").each(|host| {
        let failed = ();
        for command in ["bin/a", "bin/b", "bin/c"] { try { host.run(command); } catch (failure) { failed = failure; } }
        if failed != () { throw failed; }
    });
}
"#;

#[test]
fn what_was_done_before_a_failure_was_thrown_once_more_is_not_repeated_unasked() {
    let trial = Trial::of(GATHERED, "prod gathered");
    for (doubt, exit, done) in [
        (OnUnknownOutcome::Ask, Exit::Unknown, "a b c a"),
        (OnUnknownOutcome::Skip, Exit::Done, "a b c a"),
        (OnUnknownOutcome::Retry, Exit::Done, "a b c a b c"),
    ] {
        let (name, mut model) = (format!("{doubt:?}"), trial.before.clone());
        fails(&mut model, "jobs1", &["bin/a"]);
        let mut failed = trial.attempt(model, None, &name, OnUnknownOutcome::Ask);
        assert_eq!((failed.ended.exit, &*commands(&failed.model, "jobs1")), (Exit::Failed, "a b c"));
        fails(&mut failed.model, "jobs1", &[]);
        let resumed = trial.attempt(failed.model, None, &name, doubt);
        let ended = (resumed.ended.exit, commands(&resumed.model, "jobs1"));
        assert_eq!(ended, (exit, done.to_owned()), "{doubt:?} {:?}", failures(&resumed));
    }
}

#[test]
fn a_command_whose_lost_end_the_script_got_over_stays_lost() {
    let trial = Trial::of(
        r#"
fn careful() {
    targets().role("worker").each(|host| {
        try { host.run("bin/a"); } catch { host.run("bin/b"); }
        host.run("bin/c");
    });
}
"#,
        "prod careful",
    );
    let mut model = trial.before.clone();
    fails(&mut model, "jobs1", &["bin/c"]);
    let mut met = 0;
    for at in 0..20 {
        let name = format!("at {at}");
        let mut failed = trial.attempt(model.clone(), Some(Fault::LostAt(at)), &name, OnUnknownOutcome::Ask);
        if commands(&failed.model, "jobs1") != "a b c" {
            continue;
        }
        met += 1;
        fails(&mut failed.model, "jobs1", &[]);
        let resumed = trial.attempt(failed.model, None, &name, OnUnknownOutcome::Ask);
        let ended = (resumed.ended.exit, commands(&resumed.model, "jobs1"));
        assert_eq!(ended, (Exit::Done, "a b c c".to_owned()), "{:?}", failures(&resumed));
    }
    assert_eq!(met, 1);
}

#[test]
fn what_an_attempt_only_read_is_no_part_of_the_run_once_another_attempt_went_another_way() {
    let trial = Trial::of(
        r#"
fn polled() {
    let hosts = targets().role("web");
    clock::deadline("4s", "1s", || {
        let ready = true;
        for good in hosts.each(|host| host.test("bin/ready")) { if !good { ready = false; } }
        ready
    });
    clock::now();
    hosts.each(|host| host.run("bin/go"));
}
"#,
        "prod polled",
    );
    let effects = trial.effects();
    let mut found = Vec::new();
    for at in 0..effects {
        let (name, mut model) = (format!("at {at}"), trial.before.clone());
        fails(&mut model, "web1", &["bin/ready"]);
        let mut failed = trial.attempt(model, None, &name, OnUnknownOutcome::Ask);
        assert_eq!(failed.ended.exit, Exit::Failed, "{:?}", failures(&failed));
        fails(&mut failed.model, "web1", &[]);
        let died = trial.attempt(failed.model, Some(Fault::KilledAfter(at)), &name, OnUnknownOutcome::Ask);
        let resumed = trial.attempt(died.model, None, &name, OnUnknownOutcome::Ask);
        let done: Vec<String> =
            ["web1", "web2", "web3", "web4"].iter().map(|host| commands(&resumed.model, host)).collect();
        if resumed.ended.exit != Exit::Done || done != ["go"; 4] {
            found.push(format!("{at}: {:?} {done:?} {:?}", resumed.ended.exit, failures(&resumed)));
        }
    }
    none(&found);
}

#[test]
fn what_did_not_hold_any_more_is_read_afresh_from_there_by_every_later_attempt() {
    let trial = Trial::of(
        r#"
fn serviced() {
    for group in balancer::pooled(targets()).groups() {
        balancer::drain(group, "service");
        group.parallel(|host| {
            balancer::wait_drained(host);
            service::restart(host);
            balancer::wait_up(host);
        });
        group.parallel(|host| { balancer::ready(host); balancer::wait_up(host); });
    }
}
"#,
        "prod serviced",
    );
    let mut found = Vec::new();
    for at in 0..trial.effects() {
        for again in 3..8 {
            let name = format!("{at} {again}");
            let mut died =
                trial.attempt(trial.before.clone(), Some(Fault::KilledBefore(at)), &name, OnUnknownOutcome::Ask);
            // The balancer restarts, and has every host live.
            died.model.forget(&"prod".into(), &"lb1".into());
            let died = trial.attempt(died.model, Some(Fault::KilledBefore(again)), &name, OnUnknownOutcome::Ask);
            let resumed = trial.attempt(died.model, None, &name, OnUnknownOutcome::Ask);
            if resumed.ended.exit != Exit::Done || !resumed.model.harmed.is_empty() {
                let (exit, harmed) = (resumed.ended.exit, &resumed.model.harmed);
                found.push(format!("{name}: {exit:?} {:?} {harmed:?}", failures(&resumed)));
            }
        }
    }
    none(&found);
}

#[test]
fn each_file_that_a_run_wrote_is_looked_at_when_it_is_gone_on_with() {
    let trial = Trial::of(
        r#"
fn configured() {
    targets().role("worker").each(|host| {
        host.write("/etc/one", "1");
        host.write("/etc/two", "2");
        host.run("bin/load");
    });
}
"#,
        "prod configured",
    );
    for at in 0..trial.effects() {
        let name = format!("at {at}");
        let mut died = trial.attempt(trial.before.clone(), Some(Fault::KilledAfter(at)), &name, OnUnknownOutcome::Ask);
        let lost = Fact::Told(Some(b"somebody else's".to_vec()));
        machine(&mut died.model, "jobs1").files.values_mut().for_each(|file| *file = lost.clone());
        let mut resumed = trial.attempt(died.model, None, &name, OnUnknownOutcome::Ask);
        assert_eq!(resumed.ended.exit, Exit::Done, "{name} {:?}", failures(&resumed));
        let files = &machine(&mut resumed.model, "jobs1").files;
        let texts: Vec<_> = files.values().map(|file| file.get("").ok().cloned().flatten()).collect();
        assert_eq!(texts, [Some(b"1".to_vec()), Some(b"2".to_vec())], "{name}");
    }
}

#[test]
fn what_a_person_answered_is_asked_anew_and_never_written_down() {
    let trial = Trial::of("fn asked() { ui::prompt(\"the password?\"); }", "prod asked");
    trial.effects();
    let (mut holds, mut outcomes) = (Vec::new(), Vec::new());
    for record in records(&trial.file("calm")).unwrap() {
        match record {
            Record::Effect { lane, number, kind: EffectKind::Hold, name, .. } => holds.push((lane, number, name)),
            Record::Answered { lane, number, outcome, .. }
                if holds.iter().any(|(l, n, _)| (l, *n) == (&lane, number)) =>
            {
                outcomes.push(outcome.get().to_owned())
            }
            _ => {}
        }
    }
    assert!(holds.iter().any(|(.., name)| name == "prompt"));
    assert!(outcomes.iter().all(|outcome| outcome == "null"), "{outcomes:?}");
}

#[test]
fn an_attempt_that_fails_before_it_did_anything_does_not_say_that_the_run_changed_nothing() {
    let trial = Trial::of("", "prod release:stable");
    let mut ended = 0;
    for at in 0..12 {
        let name = format!("at {at}");
        let died = trial.attempt(trial.before.clone(), Some(Fault::KilledBefore(80)), &name, OnUnknownOutcome::Ask);
        let failed = trial.attempt(died.model, Some(Fault::FailsAt(at)), &name, OnUnknownOutcome::Ask);
        let lines = &failed.model.states["prod"].ledgers["lb1"];
        let of_run = |line: &&String| line.contains(r#""effect":"run""#) && line.contains(r#""run":"sim-2""#);
        let last = lines.iter().rfind(of_run).unwrap();
        assert!(!last.contains(r#""phase":"failed""#), "{name}: {:?} {last}", failures(&failed));
        ended += u32::from(last.contains(r#""phase":"unknown""#));
    }
    assert!(ended > 0);
}

#[test]
fn taking_back_may_be_interrupted_anywhere_and_typed_again() {
    let trial = Trial::of("", "prod release:stable");
    let standing = |model: &Model| {
        let of = |name: &str| {
            let machine = &model.machines[&("prod".into(), name.into())];
            let mine = model.servers.iter().filter(|(at, _)| &*at.3 == name);
            let admins: Vec<_> = mine.map(|(_, server)| format!("{:?}", server.admin.get("").ok())).collect();
            format!("{name} {:?} {:?} {admins:?}", machine.current.get("").ok(), machine.running.get("").ok())
        };
        ["web1", "web2", "web3", "web4", "jobs1"].map(of)
    };
    let died = trial.attempt(trial.before.clone(), Some(Fault::KilledAfter(100)), "died", OnUnknownOutcome::Ask);
    let abort = |model: Model, fault: Option<Fault>| {
        let wish = Scenario { seed: 1, fault, ..Scenario::default() };
        simulate_abort(&trial.shop.project, "sim-2", &records(&trial.file("died")).unwrap(), model, wish)
    };
    let effects = abort(died.model.clone(), None).effects;
    let mut found = Vec::new();
    for at in 0..effects {
        {
            let fault =
                [Fault::KilledAfter as fn(u32) -> Fault, Fault::KilledAmid, Fault::InterruptedAt][at as usize % 3](at);
            let first = abort(died.model.clone(), Some(fault));
            let second = abort(first.model, None);
            if second.ended.exit != Exit::Done
                || standing(&second.model) != standing(&trial.before)
                || !second.model.harmed.is_empty()
            {
                let is = standing(&second.model);
                found.push(format!("{fault:?}: {:?} {:?} {is:#?}", second.ended.exit, failures(&second)));
            }
        }
    }
    none(&found);
    // A run that was aborted can't be resumed.
    let died = abort(died.model.clone(), Some(Fault::KilledBefore(effects - 5)));
    let model = Model { runs: trial.before.runs, ..died.model };
    assert_eq!(trial.attempt(model, None, "died", OnUnknownOutcome::Ask).ended.exit, Exit::Refused);
}

#[test]
fn what_was_run_here_or_sent_is_never_done_again_unasked() {
    let trial = Trial::of(
        r#"
fn announced() {
    local::run("make one");
    ui::note(local::capture("git describe"));
    http::post("https://example.org/two", #{ text: "out" });
    http::get("https://example.org/read");
    local::cd("web").run("make three");
}
"#,
        "prod announced",
    );
    let all = ["`make one`", "post https://example.org/two", "`make three` in web"];
    let (mut found, mut asked) = (Vec::new(), 0);
    for at in 0..trial.effects() {
        for fault in [Fault::KilledBefore(at), Fault::KilledAmid(at), Fault::KilledAfter(at)] {
            for doubt in [OnUnknownOutcome::Ask, OnUnknownOutcome::Skip, OnUnknownOutcome::Retry] {
                let name = format!("{fault:?} {doubt:?}");
                let died = trial.attempt(trial.before.clone(), Some(fault), &name, OnUnknownOutcome::Ask);
                let resumed = trial.attempt(died.model, None, &name, doubt);
                let changes = &resumed.model.here.changes;
                let times = |what: &str| changes.iter().filter(|change| *change == what).count();
                let most = if matches!(doubt, OnUnknownOutcome::Retry) { 2 } else { 1 };
                let right = match resumed.ended.exit {
                    Exit::Done => all.iter().all(|what| times(what) <= most),
                    // There is nobody to ask.
                    Exit::Unknown => matches!(doubt, OnUnknownOutcome::Ask) && all.iter().all(|what| times(what) <= 1),
                    _ => false,
                };
                asked += u32::from(resumed.ended.exit == Exit::Unknown);
                // Only one step may have been in doubt, so all others were done exactly once.
                let sure = all.iter().filter(|what| times(what) == 1).count();
                if !right || resumed.ended.exit == Exit::Done && sure < all.len() - 1 {
                    found.push(format!("{name}: {:?} {changes:?} {:?}", resumed.ended.exit, failures(&resumed)));
                }
            }
        }
    }
    none(&found);
    assert!(asked >= 3, "each of the three was in doubt, and {asked} were asked about");
}

#[test]
fn a_run_that_is_resumed_has_the_hosts_that_an_inventory_named_when_it_began() {
    let trial = Trial::of(
        r#"
fn upkeep() {
    let made = fleet("made", #{ hosts_from: ["bin/hosts"] });
    ui::note(made.names());
    // What a lane that failed has only read is read afresh.
    if !local::test("bin/ready") { throw "not ready"; }
    made.each(|host| host.run("bin/upkeep"));
}
"#,
        "prod upkeep",
    );
    let says = |model: &mut Model, hosts: &str, ready: i32| {
        let printed = ModelOutput { out: hosts.into(), ..ModelOutput::default() };
        let made = ModelOutput { status: ready, ..ModelOutput::default() };
        model.here.says = Fact::Told([("bin/hosts".to_owned(), printed), ("bin/ready".to_owned(), made)].into());
    };
    let mut before = trial.before.clone();
    says(&mut before, r#"{ "web1": {}, "web2": {} }"#, 1);
    let mut failed = trial.attempt(before, None, "first", OnUnknownOutcome::Ask);
    assert_eq!(failed.ended.failures[0].message, "not ready");
    // The cloud has removed a host meanwhile.
    says(&mut failed.model, r#"{ "web2": {} }"#, 0);
    let resumed = trial.attempt(failed.model, None, "first", OnUnknownOutcome::Ask);
    assert_eq!(resumed.ended.exit, Exit::Done, "{:?}", failures(&resumed));
    let hosts = ["web1", "web2"].map(|host| resumed.model.machines[&("made".into(), host.into())].changes.clone());
    assert_eq!(hosts, [["`bin/upkeep`"], ["`bin/upkeep`"]]);
}
