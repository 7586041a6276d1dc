//! What a run that isn't done tells you to type next: each line is understood, ends as promised, and does nothing
//! twice.

use crate::journals;
use crate::made_up;
use crate::made_up::{Shop, changes, done, failures, load};
use rfab::{
    bookkeeping::Owner,
    cli::{flags, request::Action},
    event::{EventKind, Outcome},
    failure::Exit,
    line,
    model::{Fact, Machine, Model},
    secret::DigestKey,
    session::{Fault, Journaling, OnUnknownOutcome},
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};
use std::{fs, path::Path};

const PAY: &str = r#"
fn pay() { targets().role("worker").each(|host| host.run("bin/pay")); }
fn cautious() { targets().role("worker").each(|host| { try { host.run("bin/pay"); } catch {} host.run("bin/more"); }); }
fn other() { fleet("fleets/other.toml") }
"#;

/// A shop, and the folder with its journals.
struct Trial {
    shop: Shop,
    folder: tempfile::TempDir,
    before: Model,
}

impl Trial {
    fn of(shop: Shop) -> Trial {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let before = shop.known();
        Trial { shop, folder, before: Model { runs: before.runs + 1, ..before } }
    }

    fn id(&self) -> String {
        format!("sim-{}", self.before.runs)
    }

    fn attempt(&self, words: &str, model: Model, fault: Option<Fault>, name: &str) -> Simulation {
        let file = self.folder.path().join(name);
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.shop.project.tasks).unwrap();
        let keep = if !file.exists() {
            Journaling::new(Journal::create(&file).unwrap(), EarlierAttempts::default(), DigestKey::default())
        } else {
            let past = EarlierAttempts::of(records(&file).unwrap());
            Journaling::new(journals::reopen(&file), past, DigestKey::default())
        };
        let model = Model { runs: self.before.runs, ..model };
        let wish = Scenario { seed: 1, fault, ..Scenario::default() };
        simulate_attempt(
            &self.shop.project,
            &line,
            model,
            wish,
            Some(Journaling { doubt: OnUnknownOutcome::Ask, ..keep }),
        )
    }

    /// Types a line that a run advised, on the model that the run left.
    fn typed(&self, next: &str, words: &str, model: Model, name: &str) -> Simulation {
        let typed = ["rfab"].into_iter().chain(next.split(' ')).map(Into::into);
        let request = flags::read(typed, true).unwrap_or_else(|e| panic!("{next}: {e}"));
        match request.action {
            Action::Resume { run: Some(run), .. } => {
                assert_eq!(run, self.id(), "{next}");
                self.attempt(words, model, None, name)
            }
            Action::Abort { run: Some(run) } => {
                assert_eq!(run, self.id(), "{next}");
                let file = self.folder.path().join(name);
                let wish = Scenario { seed: 1, ..Scenario::default() };
                simulate_abort(&self.shop.project, &run, &records(&file).unwrap(), model, wish)
            }
            Action::Run { words, command: None } => {
                line::parse(&words, None, &self.shop.project.tasks).unwrap_or_else(|e| panic!("{next}: {e}"));
                self.shop.run(&words.join(" "), model)
            }
            other => panic!("{next}: {other:?}"),
        }
    }
}

fn next(run: &Simulation) -> Vec<String> {
    let next = run.events.iter().find_map(|event| match &event.what {
        EventKind::RunFinished { next, .. } => Some(next.clone()),
        _ => None,
    });
    next.expect("it came to its end")
}

/// Returns all commands that the worker has run.
fn commands(model: &Model) -> Vec<String> {
    model.machines[&("prod".into(), "jobs1".into())].changes.clone()
}

fn warned(run: &Simulation) -> Vec<String> {
    let text = |event: &rfab::event::Event| match &event.what {
        EventKind::Warned { text, .. } => Some(text.clone()),
        _ => None,
    };
    run.events.iter().filter_map(text).collect()
}

#[test]
fn no_line_that_is_told_to_be_typed_next_does_twice_what_may_be_done_only_once() {
    let trial = Trial::of(Shop::four(PAY));
    let mut seen = 0;
    for words in ["prod pay", "prod cautious"] {
        let calm = trial.attempt(words, trial.before.clone(), None, &format!("{words} calm"));
        assert_eq!(calm.ended.exit, Exit::Done, "{:?}", failures(&calm));
        let faults = [Fault::LostAt, Fault::FailsAt, Fault::StoppedBefore, Fault::StoppedAfter, Fault::InterruptedAt];
        for (at, fault) in (0..calm.effects).flat_map(|at| faults.map(|fault| (at, fault(at)))) {
            let name = format!("{words} {fault:?}");
            let run = trial.attempt(words, trial.before.clone(), Some(fault), &name);
            if run.ended.exit == Exit::Done {
                continue;
            }
            let told = next(&run);
            assert!(!told.is_empty(), "{name}: {:?}", run.ended.exit);
            for line in &told {
                // Each line starts with the journal as the run left it.
                let copy = format!("{name} {line}").replace('/', "-");
                std::fs::copy(trial.folder.path().join(&name), trial.folder.path().join(&copy)).unwrap();
                let then = trial.typed(line, words, run.model.clone(), &copy);
                let ended = (then.ended.exit, commands(&then.model));
                let twice =
                    ["`bin/pay`", "`bin/more`"].iter().any(|one| ended.1.iter().filter(|did| *did == one).count() > 1);
                assert!(!twice, "{name}, then {line} at {at}: {ended:?}");
                let wrong = [Exit::Usage, Exit::Fabfile, Exit::Refused, Exit::Locked].contains(&ended.0);
                assert!(!wrong, "{name}, then {line}: {ended:?} {:?}", failures(&then));
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn after_a_lost_answer_table_exit_code_ledger_and_next_line_say_that_nobody_knows() {
    let trial = Trial::of(Shop::four(PAY));
    let mut seen = 0;
    for words in ["prod pay", "prod proxy.group2"] {
        let calm = trial.attempt(words, trial.before.clone(), None, &format!("{words} calm"));
        for at in 0..calm.effects {
            let name = format!("{words} {at}");
            let run = trial.attempt(words, trial.before.clone(), Some(Fault::LostAt(at)), &name);
            let first = changes(&calm.events);
            let lost = run.ended.exit == Exit::Unknown && changes(&run.events).is_empty() && !first.is_empty();
            let changed = commands(&run.model) != commands(&trial.before)
                || format!("{:?}", run.model.servers) != format!("{:?}", trial.before.servers);
            if !lost || !changed {
                continue;
            }
            seen += 1;
            let unknown = run.ended.table.iter().filter(|row| row.result == Outcome::Unknown).count();
            assert!(unknown > 0, "{name}: {:?}", run.ended.table);
            assert_eq!(next(&run)[0], format!("--resume {}", trial.id()), "{name}");
            let other = trial.shop.run("prod proxy.status", run.model);
            let not_done = format!("tester's run {} isn't done", trial.id());
            assert!(warned(&other).iter().any(|text| text.starts_with(&not_done)), "{name}: {:?}", warned(&other));
        }
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_line_that_was_refused_is_not_told_to_be_typed_again_as_it_is() {
    let trial = Trial::of(Shop::four(PAY));
    let mut model = trial.before.clone();
    for host in ["web3", "web4"] {
        model.machines.get_mut(&("prod".into(), host.into())).unwrap().up_at = Fact::Told(None);
    }
    let refused = trial.attempt("prod proxy.group2", model, None, "few");
    assert_eq!((refused.ended.exit, next(&refused)), (Exit::Refused, vec![]), "{:?}", failures(&refused));
    // If another run has changed the fleet, the line is typed again, or the run is shown if its steps may run only
    // once.
    for (words, then) in
        [("prod proxy.group2", "prod proxy_group2".to_owned()), ("prod cautious", format!("--show {}", trial.id()))]
    {
        let calm = trial.attempt(words, trial.before.clone(), None, &format!("{words} calm"));
        let at = calm.effects - 1;
        let died = (0..at).map(|at| {
            (at, trial.attempt(words, trial.before.clone(), Some(Fault::KilledAfter(at)), &format!("{words} {at}")))
        });
        let (at, died) = died
            .into_iter()
            .find(|(_, died)| !changes(&died.events).is_empty() || !commands(&died.model).is_empty())
            .unwrap();
        let other = trial.shop.run("prod proxy.all", Model { runs: trial.before.runs, ..died.model });
        let pushed = trial.shop.run("prod cautious", other.model);
        assert_eq!(pushed.ended.exit, Exit::Done, "{:?}", failures(&pushed));
        let refused = trial.attempt(words, pushed.model, None, &format!("{words} {at}"));
        assert_eq!((refused.ended.exit, next(&refused)), (Exit::Refused, vec![then]), "{:?}", failures(&refused));
    }
}

#[test]
fn where_the_apps_folders_are_missing_the_lines_that_are_advised_work_in_this_fabfile() {
    let mut shop = Shop::four("");
    let file = shop.project.script.folder.join("fabfile.rhai");
    let whole = fs::read_to_string(&file).unwrap();
    let (before, rest) = whole.split_once("/// Makes the app's folders").unwrap();
    let lacking = format!("{before}private fn{}", rest.split_once("private fn").unwrap().1);
    // A task with that name that needs an argument isn't the one that the advised line calls.
    let other = lacking.clone() + "\nfn setup(how) { throw how; }\n";
    for (text, complete) in [(whole.clone(), true), (lacking, false), (other, false)] {
        shop.write("fabfile.rhai", &text);
        shop.project = load(&shop.project.script.folder);
        let mut fresh = shop.known();
        fresh.machines.iter_mut().filter(|(at, _)| &*at.1 != "lb1").for_each(|(_, machine)| *machine = Machine::bare());
        let refused = shop.run("prod deploy:v3.0.1", fresh.clone());
        assert!(refused.ended.exit != Exit::Done && changes(&refused.events).is_empty(), "{:?}", failures(&refused));
        let help = refused.ended.failures[0].help.clone().unwrap();
        let line =
            help.split("`rfab ").nth(1).and_then(|rest| rest.split('`').next()).unwrap_or_else(|| panic!("{help}"));
        let added: Vec<&str> = help.lines().filter(|line| line.starts_with("fn ")).collect();
        assert_eq!(added.is_empty(), complete, "{help}");
        shop.write("fabfile.rhai", &format!("{text}\n{}\n", added.join("\n")));
        shop.project = load(&shop.project.script.folder);
        let model = done(shop.run(line, fresh));
        done(shop.run("prod deploy:v3.0.1", model));
    }
}

#[test]
fn of_several_fleets_each_is_taken_back_whatever_becomes_of_the_others() {
    let fleets = [("prod", made_up::FOUR.to_owned()), ("other", made_up::FOUR.replace("lb1", "lb2"))];
    let fleets: Vec<(&str, &str)> = fleets.iter().map(|(name, text)| (*name, &**text)).collect();
    let mut trial = Trial::of(Shop::of(&fleets, PAY));
    trial.before = trial.shop.done("other proxy.status", trial.before.clone());
    trial.before.runs += 1;
    let words = "prod proxy.group2 other proxy.group2";
    let out = |model: &Model, fleet: &str| {
        let admins = model.servers.iter().filter(|(at, _)| *at.0 == *fleet);
        admins.filter(|(_, server)| format!("{:?}", server.admin.get("").ok()).contains("Drain")).count()
    };
    let both = trial.attempt(words, trial.before.clone(), None, "both");
    assert_eq!((out(&both.model, "prod"), out(&both.model, "other")), (2, 2), "{:?}", failures(&both));
    for (dead, balancer, left) in [("prod", "lb1", (2, 0)), ("other", "lb2", (0, 2))] {
        let mut model = both.model.clone();
        model.dead.insert((dead.into(), balancer.into()));
        let aborted = trial.typed(&format!("--abort {}", trial.id()), words, model, "both");
        assert_eq!(
            (out(&aborted.model, "prod"), out(&aborted.model, "other")),
            left,
            "{dead}: {:?}",
            failures(&aborted)
        );
        assert_ne!(aborted.ended.exit, Exit::Done);
        assert!(failures(&aborted).iter().any(|why| why.contains(balancer)), "{:?}", failures(&aborted));
        assert_eq!(next(&aborted), [format!("--abort {}", trial.id())]);
        // The balancer answers again.
        let mut model = aborted.model.clone();
        model.dead.clear();
        let again = trial.typed(&next(&aborted)[0], words, model, "both");
        assert_eq!(
            (again.ended.exit, out(&again.model, "prod"), out(&again.model, "other")),
            (Exit::Done, 0, 0),
            "{:?}",
            failures(&again)
        );
    }
}

#[test]
fn a_run_that_is_under_way_is_shown_as_such_and_never_to_be_taken_back() {
    let trial = Trial::of(Shop::four(PAY));
    let died = trial.attempt("prod release:stable", trial.before.clone(), Some(Fault::KilledAfter(80)), "died");
    let mut model = died.model;
    let holder = rfab::port::Holder {
        who: "anna".into(),
        from: "laptop".into(),
        run: trial.id(),
        line: "prod release:stable".into(),
        since: "1970-01-01T00:00:00Z".into(),
    };
    let over = trial.shop.run("prod proxy.status", model.clone());
    assert!(
        warned(&over).iter().any(|text| text.contains("isn't done") && text.contains("--abort")),
        "{:?}",
        warned(&over)
    );
    model.state(&"prod".into()).unwrap().held_by = Some(holder.clone());
    let under_way = trial.shop.run("prod proxy.status", model.clone());
    let says = format!(
        "anna's run {} has been in progress on laptop since 1970-01-01T00:00:00Z: `rfab prod release:stable`; `--wait` \
         waits until it ends",
        trial.id()
    );
    assert_eq!(warned(&under_way), [says]);
    let back = rfab::port::Holder { run: "sim-99".into(), line: format!("--abort {}", trial.id()), ..holder };
    model.state(&"prod".into()).unwrap().held_by = Some(back);
    let text = warned(&trial.shop.run("prod proxy.status", model)).join("\n");
    assert!(
        text.starts_with(&format!(
            "tester's run {} is being aborted: anna's run sim-99 has been in progress",
            trial.id()
        )),
        "{text}"
    );
}

#[test]
fn a_state_folder_of_another_projects_fleet_is_refused_before_anything_is_changed_with_the_line_that_parts_them() {
    let shop = Shop::four(PAY);
    let before = shop.done("prod proxy.group2", shop.known());
    let state = |model: &Model| -> Option<Owner> {
        let text = model.clone().state(&"prod".into()).unwrap().project.clone();
        text.map(|text| serde_json::from_str(&text).unwrap())
    };
    let ours = state(&before).expect("the first change says whose it is");
    assert_eq!((ours.path.as_deref(), ours.hosts.len()), (Some("/srv/shop"), 5));
    let kept = |owner: Owner| {
        let mut model = before.clone();
        model.state(&"prod".into()).unwrap().project = Some(serde_json::to_string(&owner).unwrap());
        shop.run("prod proxy.all", model)
    };
    for other in [
        Owner { path: Some("/srv/blog".into()), ..ours.clone() },
        Owner { hosts: ["app1".into(), "app2".into()].into(), ..ours.clone() },
    ] {
        let refused = kept(other.clone());
        assert_eq!(refused.ended.exit, Exit::Refused, "{:?}", failures(&refused));
        assert_eq!((changes(&refused.events), next(&refused)), (vec![], vec![]));
        assert_eq!(state(&refused.model), Some(other));
        let help = refused.ended.failures[0].help.clone().unwrap();
        assert!(help.contains("write `state = \"~/.local/state/rfab-shop\"` as the first line"), "{help}");
    }
    // The hosts of a fleet may change.
    let grown = kept(Owner { hosts: ["web1".into(), "web9".into()].into(), ..ours.clone() });
    assert_eq!((grown.ended.exit, state(&grown.model)), (Exit::Done, Some(ours)), "{:?}", failures(&grown));
}
