//! Fills the disk at any byte of the journal: the run makes no further change, reports it, and continues when there is
//! room.
//!
//! This test has its own process, because the limit on the journal's size holds for every file that the process writes.
#[path = "simulated/journals.rs"]
mod journals;
#[path = "simulated/made_up.rs"]
mod made_up;

lab::alone!();

use made_up::{Shop, changes, failures};
use rfab::{
    event::HostRow,
    failure::Exit,
    line,
    model::Model,
    secret::DigestKey,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate_attempt},
    store::{EarlierAttempts, Journal, Record, records},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{collections::BTreeSet, fs, path::Path};

/// Lets this process write at most this many bytes into a file; more is an error, as on a full disk.
fn room(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

fn attempt(shop: &Shop, model: Model, file: &Path, bytes: Option<u64>) -> Simulation {
    let words = ["prod", "release:stable"].map(str::to_owned);
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let journal = if !file.exists() {
        Journaling::new(Journal::create(file).unwrap(), EarlierAttempts::default(), DigestKey::default())
    } else {
        Journaling::new(journals::reopen(file), EarlierAttempts::of(records(file).unwrap()), DigestKey::default())
    };
    room(bytes);
    let ended =
        simulate_attempt(&shop.project, &line, model, Scenario { seed: 1, ..Scenario::default() }, Some(journal));
    room(None);
    ended
}

/// Returns how each host ends: its release, and whether it is out.
fn table(run: &Simulation) -> Vec<String> {
    let of = |row: &HostRow| format!("{} {:?} {:?}", row.host, row.new, row.balancer);
    run.ended.table.iter().map(of).collect()
}

/// Returns an effect that was written down before it was done, in the form of `changes`.
fn begun(record: &Record) -> Option<String> {
    let Record::Effect { host, text, .. } = record else { return None };
    Some(host.as_ref().map_or(text.clone(), |host| format!("{host}: {text}")))
}

/// Returns a change as a journal has it: without the tag of the release.
fn unnamed(change: String) -> String {
    match change.split_once("v3.0.1 (") {
        Some((before, release)) => format!("{before}{}", release.replacen(')', "", 1)),
        None => change,
    }
}

#[test]
fn a_release_whose_disk_fills_anywhere_changes_nothing_more_and_goes_on_when_there_is_room() {
    // With the signal handled, a file that gets too long is an error.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let too_long = tokio::signal::unix::SignalKind::from_raw(25);
    let _taken = runtime.block_on(async { tokio::signal::unix::signal(too_long).unwrap() });

    let (shop, folder) = (Shop::four(""), tempfile::tempdir().unwrap());
    let mut before = shop.known();
    before.runs += 1;
    let file = |name: &str| folder.path().join(name);
    let whole = attempt(&shop, before.clone(), &file("whole"), None);
    assert_eq!(whole.ended.exit, Exit::Done, "{:?}", failures(&whole));
    let length = fs::metadata(file("whole")).unwrap().len();
    let (parts, said) = (40, "this run's journal can't be written any more: File too large (os error 27)");
    let mut refused = 0;
    for part in 4..parts {
        let (name, bytes) = (part.to_string(), length * part / parts);
        let full = attempt(&shop, before.clone(), &file(&name), Some(bytes));
        assert_eq!(fs::metadata(file(&name)).unwrap().len(), bytes, "{part}: it was written as far as it could be");
        let kept: BTreeSet<String> = records(&file(&name)).unwrap().iter().filter_map(begun).collect();
        let unwritten: Vec<String> =
            changes(&full.events).into_iter().map(unnamed).filter(|change| !kept.contains(change)).collect();
        assert!(unwritten.is_empty(), "{part}: done, and not written down before: {unwritten:#?}");
        if full.ended.exit != Exit::Done {
            assert!(failures(&full).iter().any(|failure| failure.contains(said)), "{part}: {:?}", failures(&full));
            refused += 1;
        }
        let resumed = attempt(&shop, full.model, &file(&name), None);
        assert_eq!(resumed.ended.exit, Exit::Done, "{part}: {:?}", failures(&resumed));
        assert_eq!(table(&resumed), table(&whole), "{part}");
        assert!(resumed.model.harmed.is_empty(), "{part}: {:?}", resumed.model.harmed);
    }
    assert!(refused > 30, "only {refused} of {parts} were refused");
}
