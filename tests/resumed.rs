//! A run that died at any effect is resumed from its journal: it ends as if nothing had happened, and nothing that may
//! be done once was done twice.
mod made_up;

use made_up::{Shop, failures, fleet};
use rfab::{
    failure::Exit,
    line,
    model::Model,
    session::Fault,
    simulate::{Simulation, Wish, simulate_attempt},
    store::{Journal, Past, records},
};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// What hosts have and serve, how they stand, and which commands were ever run on them.
fn end(model: &Model) -> BTreeMap<String, String> {
    let of = |host: &rfab::host::Host| {
        let machine = &model.machines[&rfab::model::key(host)];
        let current = machine.current.get("").ok().and_then(|c| c.as_ref().map(|r| r.to_string()));
        let mine = model.servers.iter().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
        let admins: Vec<String> = mine.map(|(_, server)| format!("{:?}", server.admin.get("").ok())).collect();
        let mut commands = machine.changes.clone();
        commands.sort();
        format!("{current:?} runs {:?} {admins:?} {commands:?}", machine.running.get("").ok())
    };
    fleet(model).hosts.iter().map(|host| (host.name.to_string(), of(host))).collect()
}

/// One attempt at a line, with the journal in that file.
fn attempt(shop: &Shop, words: &str, model: Model, wish: Wish, file: &Path) -> Simulation {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let journal = match file.exists() {
        false => (Arc::new(Journal::create(file).unwrap()), Past::default()),
        true => (Arc::new(Journal::go_on(file).unwrap()), Past::of(records(file).unwrap())),
    };
    simulate_attempt(&shop.project, &line, model, wish, Some(journal))
}

/// Lets `release` die at every effect in a way, loses what `lost` takes away meanwhile, and gives what ended otherwise.
fn explore(shop: &Shop, kind: fn(u32) -> Fault, lost: fn(&mut Model)) -> (u32, Vec<String>) {
    let words = "prod release:stable";
    let (folder, mut found) = (tempfile::tempdir().unwrap(), Vec::new());
    let mut before = shop.known();
    before.runs += 1;
    let calm = Wish { seed: 1, ..Wish::default() };
    let whole = attempt(shop, words, before.clone(), calm, &folder.path().join("whole"));
    assert_eq!(whole.ended.exit, Exit::Done, "{:?}", failures(&whole));
    for at in 0..whole.effects {
        let file = folder.path().join(at.to_string());
        let mut died = attempt(shop, words, before.clone(), Wish { fault: Some(kind(at)), ..calm }, &file);
        lost(&mut died.model);
        let resumed = attempt(shop, words, died.model, calm, &file);
        if resumed.ended.exit != Exit::Done {
            found.push(format!("{at}: {:?} {:?}", resumed.ended.exit, failures(&resumed)));
        } else if end(&resumed.model) != end(&whole.model) || !resumed.model.harmed.is_empty() {
            found.push(format!("{at}: {:#?} {:?}", end(&resumed.model), resumed.model.harmed));
        }
    }
    (whole.effects, found)
}

#[test]
fn a_release_that_died_anywhere_and_is_resumed_ends_as_if_nothing_had_happened() {
    let shop = Shop::four("");
    for kind in [Fault::KilledBefore as fn(u32) -> Fault, Fault::KilledAfter, Fault::KilledAmid] {
        let (effects, found) = explore(&shop, kind, |_| ());
        assert!(effects > 100, "{effects} effects");
        assert!(found.is_empty(), "{} of {effects}: {:#?}", found.len(), &found[..found.len().min(6)]);
    }
}

#[test]
fn a_host_that_lost_its_notes_of_commands_is_where_a_command_is_done_twice_and_that_is_seen() {
    let forget = |model: &mut Model| model.machines.values_mut().for_each(|machine| machine.ended.clear());
    let (_, found) = explore(&Shop::four(""), Fault::KilledAfter, forget);
    assert!(!found.is_empty());
}
