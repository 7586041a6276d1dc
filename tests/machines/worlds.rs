//! One fabfile in two worlds: over real sshd and HAProxy and in the simulator, the same lines make the same changes on
//! each host, the same closing tables, and the same ledgers.

use lab::{Lab, Plan, needs_lab};
use rfab::{
    fabfile::{self, Options, Project},
    host::Name,
    line,
    model::Model,
    simulate::{Scenario, simulate},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The outcome of a line in one world.
#[derive(Debug, PartialEq)]
struct Made {
    exit: Option<i32>,
    /// The changes of each host in order; those without a host are under the empty name.
    changes: BTreeMap<String, Vec<String>>,
    table: Vec<Value>,
}

/// Reads a run's events.
fn made(events: &[Value], exit: Option<i32>) -> Made {
    let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|e| e["event"] == "effect_finished") {
        if !matches!(event["kind"].as_str(), Some("change" | "once")) {
            continue;
        }
        // An entry that is written for the fleet on behalf of a host is that host's, because hosts run side by side.
        let lane = event["lane"].as_str().unwrap().rsplit('/').next().unwrap();
        let of_lane = lane.split_once('.').map_or("", |(_, name)| name.trim_end_matches('!'));
        let whose = event["host"].as_str().unwrap_or(if of_lane.starts_with("web") { of_lane } else { "" });
        let failed = if event["failure"].is_null() { "" } else { " (failed)" };
        let text = event["text"].as_str().unwrap();
        changes.entry(whose.to_owned()).or_default().push(format!("{text}{failed}"));
    }
    let last = events.last().expect("an event");
    assert_eq!(last["event"], "run_finished");
    Made { exit, changes, table: last["table"].as_array().unwrap().iter().map(without_times).collect() }
}

/// Returns a row in which the time of the last look is only there or not, because the worlds' clocks differ.
fn without_times(row: &Value) -> Value {
    let mut row = row.clone();
    row["looked"] = Value::Bool(!row["looked"].is_null());
    row
}

/// Returns a ledger's lines by host, each as effect, phase, reason and commit.
fn told<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        // A host's own lane writes down its switch, and what was bad.
        let reason = text("reason");
        let whose =
            line["host"].as_str().or(reason.strip_prefix("switch ").or(reason.strip_prefix("bad on "))).unwrap_or("");
        assert!(text("at").ends_with('Z') && line["v"] == 1, "{line}");
        let said = [
            text("effect"),
            text("phase"),
            reason.clone(),
            text("commit"),
            line["number"].to_string(),
            line["pool"].to_string(),
        ]
        .join(" ");
        told.entry(whose.to_owned()).or_default().push(said);
    }
    told
}

/// A lab, and a model that starts like it.
struct Both {
    lab: Lab,
    project: Project,
    model: Model,
}

impl Both {
    fn start(plan: Plan) -> Both {
        let lab = Lab::start(plan);
        let project = match fabfile::load(&lab.project.folder.join("fabfile.rhai"), Options::default()) {
            Ok(project) => project,
            Err(wrong) => panic!("{wrong:?}"),
        };
        let model = Model { first: lab.project.resolve("v3.0.0").as_str().into(), ..Model::new() };
        Both { lab, project, model }
    }

    /// Runs a line in both worlds, compares the outcomes, and returns the real one.
    #[track_caller]
    fn same(&mut self, line: &str, exit: i32) -> Made {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = self.lab.rfab(&[&["--json"], &words[..]].concat()).output();
        let events: Vec<Value> = ran.stdout.lines().map(|l| serde_json::from_str(l).expect("an event")).collect();
        let real = made(&events, ran.code);
        let noted: Vec<&Value> = events.iter().filter(|e| e["event"] == "noted").map(|e| &e["text"]).collect();
        let said = format!("{} {noted:?}", events.last().expect("an event")["failures"]);
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let parsed = line::parse(&words, None, &self.project.tasks).unwrap();
        let ran = simulate(&self.project, &parsed, self.model.clone(), Scenario::default());
        let events: Vec<Value> = ran.events.iter().map(|e| serde_json::to_value(e).unwrap()).collect();
        let simulated = made(&events, Some(ran.ended.exit.code().into()));
        self.model = ran.model;
        assert_eq!(real.changes, simulated.changes, "{line}: {said}");
        assert_eq!(real.table, simulated.table, "{line}");
        assert_eq!((real.exit, simulated.exit), (Some(exit), Some(exit)), "{line}");
        assert_eq!(self.model.harmed, Vec::<String>::new());
        real
    }

    /// Compares the ledgers of all hosts and balancers in both worlds.
    #[track_caller]
    fn same_ledgers(&self) {
        let read = |host: &str, file: &str| {
            let text = self.lab.host(host).sh(&format!("cat {file} 2>/dev/null || true")).stdout;
            told(text.lines())
        };
        for fleet in self.model.fleets.values() {
            let homes: Vec<Name> = fleet.balancers.iter().map(|b| b.name.clone()).collect();
            let homes = if homes.is_empty() { vec![fleet.hosts[0].name.clone()] } else { homes };
            for home in homes {
                let real =
                    read(&home, &format!("{}/.local/state/rfab/{}/ledger", self.lab.host(&home).home(), fleet.name));
                let lines = &self.model.states[&fleet.name].ledgers[&home];
                assert_eq!(real, told(lines.iter().map(String::as_str)), "{}: {home}", fleet.name);
            }
            for host in &fleet.hosts {
                let real = read(&host.name, "/srv/shop/.rfab/ledger");
                let lines = &self.model.machines[&rfab::model::key(host)].ledger;
                assert_eq!(real, told(lines.iter().map(String::as_str)), "{}: {host}", fleet.name);
            }
        }
    }
}

#[test]
fn the_five_commands_and_the_release_in_one_come_to_the_same_in_both_worlds() {
    if !needs_lab("the_five_commands_and_the_release_in_one_come_to_the_same_in_both_worlds") {
        return;
    }
    let mut both = Both::start(Plan::shop());
    both.same("prod setup", 0);
    for line in
        ["prod proxy.group2", "prod:out deploy:stable", "prod proxy.flip", "prod:out deploy:stable", "prod proxy.all"]
    {
        let made = both.same(line, 0);
        assert!(!made.changes.is_empty(), "{line}");
    }
    both.same_ledgers();
    both.lab.colleague("berta").release("v3.0.2");
    let made = both.same("prod release:stable", 0);
    assert_eq!(made.table.iter().filter(|row| row["result"] == "ok").count(), 6);
    assert_eq!(both.same("prod release:stable", 0).changes, BTreeMap::new());
    both.same_ledgers();
}

#[test]
fn a_deploy_to_live_hosts_comes_to_the_same_in_both_worlds() {
    if !needs_lab("a_deploy_to_live_hosts_comes_to_the_same_in_both_worlds") {
        return;
    }
    let mut both = Both::start(Plan::shop());
    both.same("testing setup", 0);
    both.same("deploy stable", 0);
    both.same("testing deploy my-branch", 0);
    both.same("testing deploy my-branch", 0);
    both.same_ledgers();
}

#[test]
fn a_release_that_never_gets_healthy_stops_at_the_same_place_in_both_worlds() {
    if !needs_lab("a_release_that_never_gets_healthy_stops_at_the_same_place_in_both_worlds") {
        return;
    }
    let mut both = Both::start(Plan::shop());
    both.same("prod setup", 0);
    let colleague = both.lab.colleague("berta");
    colleague.write("sick", "");
    let commit = colleague.release("v3.0.2");
    both.model.sick.insert(commit.as_str().into());
    let made = both.same("prod release:stable", 1);
    let rows = |key: &str, value: &str| made.table.iter().filter(|row| row[key] == value).count();
    assert_eq!((rows("balancer", "out"), rows("result", "failed"), rows("balancer", "live")), (3, 3, 3));
    both.same_ledgers();
    both.same("prod proxy.all", 7);
    both.same_ledgers();
}
