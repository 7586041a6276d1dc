//! Many hosts in the simulator: the cost of a run grows with their number, and not with its square.

use crate::made_up;
use crate::made_up::{Shop, done};
use rfab::{
    line,
    model::Model,
    secret::DigestKey,
    session::Journaling,
    simulate::{Scenario, Simulation, simulate_attempt},
    store::{EarlierAttempts, Journal},
};
use std::{path::Path, time::Instant};

/// Makes ten groups of hosts behind a balancer, with this many hosts in all.
fn shop(hosts: usize) -> Shop {
    shop_with(hosts, "")
}

/// Does the same, with a task in the fabfile.
fn shop_with(hosts: usize, task: &str) -> Shop {
    let groups = (0..10).map(|group| {
        let (first, last) = (group * hosts / 10 + 1, (group + 1) * hosts / 10);
        format!("\"web[{first:04}..{last:04}]\" = {{ group = \"group{group}\", roles = [\"web\"] }}\n")
    });
    let (before, after) = made_up::FOUR.split_once("[hosts]\n").expect("hosts");
    let (_, balancer) = after.split_once("[balancer").expect("a balancer");
    let (balancer, _) = balancer.split_once("[roll]").expect("an order");
    let before = before.replace(", worker = [\"shop-jobs\"]", "");
    let fleet = format!("{before}[hosts]\n{}[balancer{balancer}", groups.collect::<String>());
    Shop::of(&[("prod", &fleet)], task)
}

/// Runs a line with a journal in that file, and returns the length of the journal.
fn journaled(shop: &Shop, words: &str, model: Model, file: &Path) -> (Simulation, u64) {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let line = line::parse(&words, None, &shop.project.tasks).unwrap();
    let keep = Journaling::new(Journal::create(file).unwrap(), EarlierAttempts::default(), DigestKey::default());
    let ran = simulate_attempt(&shop.project, &line, model, Scenario { seed: 1, ..Scenario::default() }, Some(keep));
    (ran, std::fs::metadata(file).unwrap().len())
}

/// Returns the most memory that this process ever had, in kilobytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs two releases, a rollback and a status; returns the length of each journal.
fn day(hosts: usize) -> [u64; 4] {
    let (mut shop, folder) = (shop(hosts), tempfile::tempdir().unwrap());
    let mut model = shop.known();
    let lines = ["prod release:v3.0.1", "prod release:v3.0.2", "prod rollback", "prod status"];
    let mut lengths = [0; 4];
    for (at, words) in lines.into_iter().enumerate() {
        if at == 1 {
            shop.tagged("v3.0.2");
        }
        let began = Instant::now();
        let model_of_run = Model { runs: model.runs + 1, ..model };
        let (ran, length) = journaled(&shop, words, model_of_run, &folder.path().join(at.to_string()));
        println!("{hosts} hosts: {words}: {length} bytes, {:?}, {} kB in all", began.elapsed(), memory());
        (model, lengths[at]) = (done(ran), length);
    }
    shop.stable = shop.commit("v3.0.1");
    let current = |machine: &rfab::model::Machine| machine.current.get("").ok().cloned().flatten();
    let back = model.machines.values().filter_map(current).filter(|release| release.is_of(&shop.stable)).count();
    assert_eq!(back, hosts, "all are back");
    lengths
}

#[test]
fn journals_of_a_release_a_rollback_and_a_look_grow_with_the_hosts() {
    let (small, large) = (day(30), day(90));
    for (small, large) in small.into_iter().zip(large) {
        assert!(large < small * 7 / 2, "three times the hosts: {small} bytes became {large}");
    }
}

#[test]
fn two_releases_of_many_hosts_can_be_rolled_back() {
    let [release, _, rollback, _] = day(160);
    assert!(rollback < release * 3, "{rollback} bytes, and {release} for the release");
}

#[test]
fn what_a_closure_captures_is_copied_only_while_its_lane_runs() {
    let much = "fn much() { let numbers = []; numbers.pad(20000, 7); targets().parallel(|host| host.run(\"echo {n}\", #{ n: numbers.len() })); }";
    let shop = shop_with(1_000, much);
    done(shop.run("prod much", shop.known()));
    // A copy takes a third of a megabyte.
    assert!(memory() < 250_000, "{} kB", memory());
}

/// Isn't a test: measures a day on `RFAB_HOSTS` hosts.
#[test]
#[ignore = "for a person to look at"]
fn measured() {
    day(std::env::var("RFAB_HOSTS").ok().and_then(|hosts| hosts.parse().ok()).unwrap_or(1_000));
}
