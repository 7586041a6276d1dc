//! A run that died at any effect is aborted: every host goes back to its state before the run.

use crate::made_up::{Shop, changes, failures, fleet};
use rfab::{
    failure::Exit,
    line,
    model::Model,
    secret::DigestKey,
    session::{Fault, Journaling},
    simulate::{Scenario, Simulation, simulate_abort, simulate_attempt},
    store::{EarlierAttempts, Journal, records},
};
use std::path::Path;

/// Returns what hosts serve, and their states in the balancer.
pub fn standing(model: &Model) -> Vec<String> {
    let of = |host: &rfab::host::Host| {
        let machine = &model.machines[&rfab::model::key(host)];
        let current = machine.current.get("").ok().and_then(|c| c.as_ref().map(|r| r.to_string()));
        let mine = model.servers.iter().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
        let admins: Vec<String> = mine.map(|(_, server)| format!("{:?}", server.admin.get("").ok())).collect();
        format!("{host} {current:?} runs {:?} {admins:?}", machine.running.get("").ok())
    };
    fleet(model).hosts.iter().map(of).collect()
}

fn attempt(shop: &Shop, words: &str, model: Model, fault: Option<Fault>, file: &Path) -> Simulation {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let keep = Journaling::new(Journal::create(file).unwrap(), EarlierAttempts::default(), DigestKey::default());
    simulate_attempt(&shop.project, &line, model, Scenario { seed: 1, fault, ..Scenario::default() }, Some(keep))
}

/// Runs a line with a fault at each of its effects, aborts each run, and returns those that ended otherwise.
fn explore(shop: &Shop, words: &str, before: &Model, fault: fn(u32) -> Fault) -> Vec<String> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let before = Model { runs: before.runs + 1, ..before.clone() };
    let calm = attempt(shop, words, before.clone(), None, &folder.path().join("calm"));
    assert_eq!(calm.ended.exit, Exit::Done, "{:?}", failures(&calm));
    let mut found = Vec::new();
    for at in 0..calm.effects {
        let file = folder.path().join(at.to_string());
        let died = attempt(shop, words, before.clone(), Some(fault(at)), &file);
        let wish = Scenario { seed: 1, ..Scenario::default() };
        let aborted =
            simulate_abort(&shop.project, &format!("sim-{}", before.runs), &records(&file).unwrap(), died.model, wish);
        let (is, was) = (standing(&aborted.model), standing(&before));
        if aborted.ended.exit != Exit::Done || is != was || !aborted.model.harmed.is_empty() {
            let (why, done) = (failures(&aborted), changes(&aborted.events));
            found.push(format!("{at}: {:?} {why:?} {is:#?} {done:#?} {:?}", aborted.ended.exit, aborted.model.harmed));
        }
    }
    found
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{} ended otherwise: {}", found.len(), found[..found.len().min(3)].join("\n"));
}

#[test]
fn a_release_that_died_anywhere_is_taken_back_and_all_hosts_are_in_with_their_old_release() {
    let shop = Shop::four("");
    let before = shop.known();
    for fault in [Fault::KilledBefore as fn(u32) -> Fault, Fault::KilledAfter, Fault::KilledAmid, Fault::FailsAt] {
        none(explore(&shop, "prod release:stable", &before, fault));
    }
}

#[test]
fn hosts_that_were_out_before_a_run_that_is_taken_back_are_out_after_it() {
    let shop = Shop::four("");
    let before = shop.done("prod proxy.group2", shop.known());
    for words in ["prod:out deploy:stable", "prod proxy.flip", "prod proxy.all"] {
        none(explore(&shop, words, &before, Fault::KilledAfter));
    }
}
