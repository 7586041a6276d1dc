//! What rfab 0.1.0 wrote is read, and its runs that died are resumed or aborted.
mod recorded;

use crate::{
    journals::go_on,
    made_up::{Shop, changes, failures},
    resumed::{RESUMED, end, open},
};
use recorded::{Recorded, Run, shop};
use rfab::{
    failure::Exit,
    line,
    model::Model,
    secret::Key,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate_abort, simulate_abort_attempt, simulate_attempt},
    store::{Past, Record, records},
};
use std::path::{Path, PathBuf};

const WORDS: [&str; 2] = ["prod", "release:stable"];

/// The release, and how it was found by the run that is being recorded.
struct Old {
    shop: Shop,
    recorded: Recorded,
    folder: tempfile::TempDir,
}

impl Old {
    fn read() -> Old {
        Old { shop: shop(), recorded: Recorded::read(), folder: tempfile::tempdir().unwrap() }
    }

    /// Those that died, failed or were interrupted.
    fn open_runs(&self) -> impl Iterator<Item = &Run> {
        self.recorded.runs.iter().filter(|run| !["whole", "aborted"].contains(&run.name))
    }

    fn journal(&self, run: &Run) -> PathBuf {
        let file = self.folder.path().join(run.name);
        run.journal(&self.shop, &file);
        file
    }

    /// The world as a run left it, where what was wrong with its commit is mended.
    fn after(&self, run: &Run) -> Model {
        Model { sick: Default::default(), ..self.recorded.after(&self.shop, run) }
    }
}

const SCENARIO: Scenario =
    Scenario { seed: 1, fault: None, force: false, unproven: false, pause: None, without_balancer: None };

/// The journal of an attempt that goes on with what a file has.
fn going_on(file: &Path) -> Journaling {
    let past = Past::of(records(file).unwrap());
    let journal = go_on(file);
    journal.append(RESUMED.as_bytes(), false).unwrap();
    Journaling::new(journal, past, Key::default())
}

fn resumed(shop: &Shop, model: Model, file: &Path) -> Simulation {
    let line = line::parse(&WORDS.map(str::to_owned), None, &shop.project.tasks).unwrap();
    simulate_attempt(&shop.project, &line, model, SCENARIO, Some(going_on(file)))
}

/// What is wrong with the end of a run, if it isn't that of a good one.
fn wrong(name: &str, ran: &Simulation, as_in: &Model) -> Option<String> {
    let (is, was, open) = (end(&ran.model), end(as_in), open(&ran.model));
    if ran.ended.exit == Exit::Done && is == was && ran.model.harmed.is_empty() && open.is_empty() {
        return None;
    }
    let (exit, why, harmed) = (ran.ended.exit, failures(ran), &ran.model.harmed);
    Some(format!("{name}: {exit:?} {why:#?} {harmed:?} {open:?} {:#?}\n{is:#?}\nand not {was:#?}", changes(&ran.events)))
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{} ended otherwise: {}", found.len(), found.join("\n"));
}

#[test]
fn a_release_of_0_1_0_that_died_anywhere_is_resumed_to_the_end_that_it_had_there() {
    let old = Old::read();
    let whole = old.recorded.after(&old.shop, old.recorded.named("whole"));
    let end = |run: &Run| wrong(run.name, &resumed(&old.shop, old.after(run), &old.journal(run)), &whole);
    let found: Vec<String> = old.open_runs().filter_map(end).collect();
    assert!(old.open_runs().count() > 12);
    none(found);
}
