//! A hotfix day, as it should be.

use crate::made_up::{FIVE, Shop, done};
use rfab::{
    event::{Outcome, PoolState},
    failure::Exit,
    model::Model,
    simulate::{Scenario, Simulation},
};
use std::{collections::BTreeSet, time::Instant};

#[test]
fn the_five_commands_bring_the_newest_stable_tag_to_every_host_and_all_end_live() {
    let shop = Shop::new();
    let mut model = Model::new();
    for line in FIVE {
        model = shop.done(line, model);
    }
    let last = shop.run("prod proxy.status", model);
    assert_eq!(last.ended.exit, Exit::Done);
    for row in last.ended.table.iter().filter(|row| row.host.starts_with("web")) {
        assert_eq!(row.new.as_deref(), Some(&*shop.release()), "{row:?}");
        assert_eq!(row.balancer, PoolState::Live);
    }
    assert!(last.model.fewest_live.values().all(|live| *live >= 18), "{:?}", last.model.fewest_live);
}

#[test]
fn release_does_the_same_in_one() {
    let shop = Shop::new();
    let ran = shop.run("prod release:stable", Model::new());
    let table = ran.ended.table.clone();
    done(ran);
    assert_eq!(table.len(), 43);
    for row in table {
        assert_eq!((row.result, row.new), (Outcome::Ok, Some(shop.release())), "{}", row.host);
    }
}

/// Returns all events of a run, as they would be written.
fn told(simulation: &Simulation) -> String {
    let lines: Vec<String> = simulation.events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn a_seed_gives_the_same_run_to_the_byte_and_other_seeds_other_orders_with_the_same_end() {
    let shop = Shop::four("");
    let run = |seed| shop.run_with("prod release:stable", Model::new(), Scenario { seed, ..Scenario::default() });
    let runs: Vec<Simulation> = (0..12).map(run).collect();
    for (seed, one) in runs.iter().enumerate() {
        assert_eq!(told(one), told(&run(seed as u64)));
        assert_eq!(one.model.end_state(), runs[0].model.end_state());
    }
    let orders: BTreeSet<String> = runs.iter().map(told).collect();
    assert!(orders.len() > 3, "{} orders", orders.len());
}

#[test]
fn five_commands_wait_only_by_the_made_up_clock() {
    let shop = Shop::four("");
    let began = Instant::now();
    let mut model = Model::new();
    for line in FIVE {
        model = shop.done(line, model);
    }
    assert!(model.now > 30_000);
    assert!(began.elapsed().as_millis() < model.now.into(), "{:?} for {} ms", began.elapsed(), model.now);
}
