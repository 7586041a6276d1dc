//! A run dies in the middle of a migration. Whoever types a word that would come to it is sent to that run, and nothing
//! is changed.
use crate::{journals::reopen, made_up, made_up::Shop, resumed::RESUMED};
use rfab::{
    event::{Event, EventKind},
    failure::{Exit, Failure, Unchanged},
    line,
    model::Model,
    port::Holder,
    secret::DigestKey,
    session::{Fault, Journaling, OnUnknownOutcome},
    simulate::{Scenario, Simulation, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};
use std::path::PathBuf;

const RELEASE: &str = "prod release:stable";
const TASKS: &str = "fn serviced() { targets().role(\"worker\").each(|host| service::restart(host)); }\n";

/// A shop in which a release died in the middle of its migration.
struct Dead {
    shop: Shop,
    model: Model,
    journal: PathBuf,
    _folder: tempfile::TempDir,
}

impl Dead {
    fn new() -> Dead {
        let (shop, folder) = (Shop::four(TASKS), tempfile::tempdir().unwrap());
        let known = shop.known();
        let mut dead = Dead { shop, model: known.clone(), journal: PathBuf::new(), _folder: folder };
        for at in 1.. {
            dead.journal = dead._folder.path().join(at.to_string());
            let died = dead.attempt(Model { runs: known.runs + 1, ..known.clone() }, Some(Fault::KilledBefore(at)));
            if dead.fleets_ledger(&died.model).iter().any(|line| line.contains("\"migrate\"")) {
                dead.model = died.model;
                return dead;
            }
        }
        unreachable!()
    }

    /// Makes the next attempt at the release.
    fn attempt(&self, model: Model, fault: Option<Fault>) -> Simulation {
        let keep = if self.journal.exists() {
            let past = EarlierAttempts::of(records(&self.journal).unwrap());
            Journaling::new(reopen(&self.journal), past, DigestKey::default())
        } else {
            Journaling::new(Journal::create(&self.journal).unwrap(), EarlierAttempts::default(), DigestKey::default())
        };
        if keep.past.attempts > 0 {
            keep.journal.append(RESUMED.as_bytes(), false).unwrap();
        }
        let words: Vec<String> = RELEASE.split(' ').map(str::to_owned).collect();
        let line = line::parse(&words, None, &self.shop.project.tasks).unwrap();
        let wish = Scenario { seed: 1, fault, ..Scenario::default() };
        let keep = Journaling { doubt: OnUnknownOutcome::Retry, ..keep };
        simulate_attempt(&self.shop.project, &line, model, wish, Some(keep))
    }

    fn fleets_ledger(&self, model: &Model) -> Vec<String> {
        model.states["prod"].ledgers.values().flatten().cloned().collect()
    }

    fn told(&self, failure: &Failure) -> String {
        format!("{failure}\n{}", failure.help.clone().unwrap_or_default()).replace(&self.shop.stable[..12], "COMMIT")
    }

    /// Runs a line, which must be sent to the dead run and must change nothing. Returns what it says.
    #[track_caller]
    fn refused(&self, words: &str, model: &Model) -> (String, Model) {
        let again = self.shop.run(words, model.clone());
        assert_eq!(again.ended.exit, Exit::Unknown, "{words}: {:?}", made_up::failures(&again));
        assert_eq!(made_up::changes(&again.events), [""; 0], "{words}");
        assert_eq!(self.fleets_ledger(&again.model), self.fleets_ledger(model), "{words}");
        assert!(again.ended.failures.iter().all(|failure| failure.unchanged == Some(Unchanged::Run)), "{words}");
        let [failure] = &again.ended.failures[..] else { panic!("{words}: {:?}", again.ended.failures) };
        (self.told(failure), again.model)
    }
}

const SAID: &str = "\
`migrate` of COMMIT began on web1 in tester's run sim-2 at 1970-01-01T00:00:01Z, and rfab can't tell how it ended
resume that run on simulator: `rfab --resume sim-2` finds out whether it finished, and continues
if that run was aborted, or its machine is lost, check whether it finished; if it did, run a task that calls `release::mark_done(\"migrate\", …)`";

#[test]
fn every_word_that_would_come_to_the_migration_names_the_run_to_resume_which_then_completes() {
    let dead = Dead::new();
    let mut model = dead.model.clone();
    for words in [RELEASE, "prod deploy:stable", "prod:group2 deploy:v3.0.1"] {
        let (said, after) = dead.refused(words, &model);
        assert_eq!(said, SAID, "{words}");
        model = after;
    }
    // What doesn't come to it isn't kept from anybody: another commit has another migration.
    let looked = dead.shop.run("prod status", model);
    assert_eq!(looked.ended.exit, Exit::Done);
    let resumed = dead.attempt(Model { runs: dead.model.runs, ..looked.model }, None);
    assert_eq!(resumed.ended.exit, Exit::Done, "{:?}", made_up::failures(&resumed));
    let migrated = made_up::changes(&resumed.events).into_iter().filter(|text| text.contains("bin/migrate")).count();
    assert_eq!(migrated, 1);
    dead.shop.done(RELEASE, resumed.model);
}

/// Returns the lines that a run suggests to type next.
fn next(ran: &Simulation) -> Vec<String> {
    let of = |event: &Event| match &event.what {
        EventKind::RunFinished { next, .. } => Some(next.clone()),
        _ => None,
    };
    ran.events.iter().find_map(of).unwrap()
}

#[test]
fn the_run_is_resumed_on_its_own_machine_and_while_it_has_the_lock_it_is_waited_for() {
    let dead = Dead::new();
    let ran = dead.shop.run(RELEASE, dead.model.clone());
    assert_eq!(next(&ran), ["--resume sim-2"]);
    let mut elsewhere = dead.model.clone();
    for lines in elsewhere.states.get_mut("prod").unwrap().ledgers.values_mut() {
        lines.iter_mut().for_each(|line| *line = line.replace("\"from\":\"simulator\"", "\"from\":\"mac\""));
    }
    let ran = dead.shop.run(RELEASE, elsewhere);
    assert_eq!(next(&ran), [""; 0]);
    assert_eq!(dead.told(&ran.ended.failures[0]), SAID.replace("on simulator", "on mac"));

    let mut busy = dead.model.clone();
    let text = |text: &str| text.to_owned();
    let (run, line) = (text("sim-2"), text(RELEASE));
    let holder = Holder { who: text("tester"), from: text("simulator"), run, line, since: text("1970") };
    busy.states.get_mut("prod").unwrap().held_by = Some(holder);
    assert_eq!(dead.shop.run(RELEASE, busy).ended.exit, Exit::Locked);
}

#[test]
fn after_another_change_of_the_fleet_the_run_is_resumed_with_a_flag_that_says_so() {
    let dead = Dead::new();
    let other = dead.shop.done("prod serviced", dead.model.clone());
    let (said, after) = dead.refused(RELEASE, &other);
    assert_eq!(said, SAID.replace("--resume sim-2", "--resume sim-2 --force-changed"));
    let resumed = dead.attempt(Model { runs: dead.model.runs, ..after }, None);
    assert_eq!(resumed.ended.exit, Exit::Refused);
    let help = resumed.ended.failures[0].help.as_deref();
    let instead = "check what the other run changed; then `rfab --resume sim-2 --force-changed` finds out what became \
                   of `migrate`, and continues";
    assert_eq!(help, Some(instead));
}

#[test]
fn a_run_that_the_ledger_knows_as_aborted_is_not_named_to_be_resumed() {
    let dead = Dead::new();
    let mut model = dead.model.clone();
    let home = model.states.get_mut("prod").unwrap().ledgers.values_mut().find(|lines| !lines.is_empty()).unwrap();
    let run = |phase: &str| {
        format!(
            r#"{{"v":1,"run":"sim-9","seq":0,"at":"1970-01-01T00:00:09Z","who":"tester","from":"simulator","effect":"run","phase":"{phase}","reason":"--abort sim-2"}}"#
        )
    };
    home.extend([run("intent"), run("ok")]);
    let (said, _) = dead.refused(RELEASE, &model);
    let by_hand = "check whether it finished; if it did, run a task that calls `release::mark_done(\"migrate\", …)`";
    assert_eq!(said, format!("{}\n{by_hand}", SAID.lines().next().unwrap()));
}
