//! What rfab 0.1.0 wrote is read, and its runs that died are resumed or aborted.
mod read;
mod recorded;
mod shown;

use crate::{
    aborted::standing,
    journals::reopen,
    made_up::{Shop, changes, failures},
    resumed::{RESUMED, end, open},
};
use recorded::{Recorded, Run, shop};
use rfab::{
    failure::Exit,
    line,
    model::Model,
    secret::DigestKey,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate_abort, simulate_abort_attempt, simulate_attempt},
    store::{EarlierAttempts, Record, records},
};
use std::path::{Path, PathBuf};

/// The line of every run that was recorded.
const WORDS: [&str; 2] = ["prod", "release:stable"];

/// What the run is called.
const RUN: &str = "sim-3";

const SCENARIO: Scenario = Scenario {
    seed: 1,
    fault: None,
    force: false,
    unproven: false,
    pause: None,
    without_balancer: None,
    without_gate: None,
};

/// The shop with what was recorded of it.
struct Old {
    shop: Shop,
    recorded: Recorded,
    folder: tempfile::TempDir,
}

impl Old {
    fn read() -> Old {
        Old { shop: shop(), recorded: Recorded::read(), folder: tempfile::tempdir().unwrap() }
    }

    /// The runs that died, failed or were interrupted.
    fn open_runs(&self) -> Vec<&Run> {
        let runs: Vec<&Run> =
            self.recorded.runs.iter().filter(|run| !["whole", "aborted"].contains(&run.name)).collect();
        assert!(runs.len() > 12, "{}", runs.len());
        runs
    }

    /// The file with the journal of a run.
    fn journal(&self, run: &Run) -> PathBuf {
        let file = self.folder.path().join(run.name);
        run.journal(&self.shop, &file);
        file
    }

    fn records(&self, run: &Run) -> Vec<Record> {
        records(&self.journal(run)).unwrap()
    }

    /// The world as a run left it, after somebody mended what made its commit unhealthy.
    fn after(&self, run: &Run) -> Model {
        Model { sick: Default::default(), ..self.recorded.after(&self.shop, run) }
    }

    /// Resumes a run with the journal in a file.
    fn resume(&self, model: Model, file: &Path) -> Simulation {
        let line = line::parse(&WORDS.map(str::to_owned), None, &self.shop.project.tasks).unwrap();
        simulate_attempt(&self.shop.project, &line, model, SCENARIO, Some(continued(file)))
    }

    /// Aborts a run as a new run.
    fn abort(&self, run: &Run, model: Model) -> Simulation {
        simulate_abort(&self.shop.project, RUN, &self.records(run), model, SCENARIO)
    }

    /// What is wrong with the end of an abort, if hosts aren't as they were before the release.
    fn not_as_before(&self, name: &str, ran: &Simulation) -> Option<String> {
        let (is, was) = (standing(&ran.model), standing(&self.recorded.before(&self.shop)));
        let good = ran.ended.exit == Exit::Done && is == was && ran.model.harmed.is_empty();
        (!good).then(|| told(name, ran, &format!("{is:#?}\nand not {was:#?}")))
    }
}

/// The journal of the next attempt, after those that a file has.
fn continued(file: &Path) -> Journaling {
    let past = EarlierAttempts::of(records(file).unwrap());
    let journal = reopen(file);
    journal.append(RESUMED.as_bytes(), false).unwrap();
    Journaling::new(journal, past, DigestKey::default())
}

fn told(name: &str, ran: &Simulation, differs: &str) -> String {
    let (exit, why, harmed) = (ran.ended.exit, failures(ran), &ran.model.harmed);
    format!("{name}: {exit:?} {why:#?} {harmed:?} {:#?}\n{differs}", changes(&ran.events))
}

/// What is wrong with the end of a run, if it isn't that of a good one.
fn not_as_whole(name: &str, ran: &Simulation, whole: &Model) -> Option<String> {
    let (is, was, open) = (end(&ran.model), end(whole), open(&ran.model));
    let good = ran.ended.exit == Exit::Done && is == was && ran.model.harmed.is_empty() && open.is_empty();
    (!good).then(|| told(name, ran, &format!("{is:#?}\nand not {was:#?}\n{open:?}")))
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{} ended otherwise: {}", found.len(), found.join("\n"));
}

#[test]
fn a_release_that_died_anywhere_is_resumed_to_the_end_that_it_had_in_0_1_0() {
    let old = Old::read();
    let whole = old.recorded.after(&old.shop, old.recorded.named("whole"));
    let wrong = |run: &Run| not_as_whole(run.name, &old.resume(old.after(run), &old.journal(run)), &whole);
    none(old.open_runs().into_iter().filter_map(wrong).collect());
}

#[test]
fn a_release_that_died_anywhere_is_aborted_and_all_hosts_are_as_before_it() {
    let old = Old::read();
    let wrong = |run: &Run| old.not_as_before(run.name, &old.abort(run, old.after(run)));
    none(old.open_runs().into_iter().filter_map(wrong).collect());
}

#[test]
fn an_abort_that_died_halfway_is_resumed_or_typed_again() {
    let old = Old::read();
    let (aborted, of) = (old.recorded.named("aborted"), old.recorded.named("amid-67"));
    let half = old.recorded.after(&old.shop, aborted);
    let before = standing(&old.recorded.before(&old.shop));
    assert_ne!(standing(&half), before);
    let (project, records) = (&old.shop.project, old.records(of));
    let again = continued(&old.journal(aborted));
    let resumed = simulate_abort_attempt(project, RUN, &records, half.clone(), SCENARIO, Some(again));
    let typed = simulate_abort(project, RUN, &records, half, SCENARIO);
    none(
        [("resumed", resumed), ("typed again", typed)]
            .iter()
            .filter_map(|(name, ran)| old.not_as_before(name, ran))
            .collect(),
    );
}

#[test]
fn what_0_1_0_released_is_rolled_back_and_the_next_release_has_the_next_number() {
    let old = Old::read();
    let whole = old.recorded.after(&old.shop, old.recorded.named("whole"));
    let back = old.shop.done("prod rollback", whole.clone());
    let current = |model: &Model, name: &str| {
        let machine = &model.machines[&("prod".into(), name.into())];
        machine.current.get("").ok().and_then(|current| current.as_ref().map(ToString::to_string))
    };
    for host in ["web1", "web4", "jobs1"] {
        assert_eq!(current(&back, host).as_deref(), Some("0002-97dbcba43559"));
    }
    old.shop.tagged("v3.0.2");
    let next = old.shop.done("prod release:stable", whole);
    assert!(current(&next, "web1").is_some_and(|current| current.starts_with("0004-")), "{:?}", current(&next, "web1"));
}
