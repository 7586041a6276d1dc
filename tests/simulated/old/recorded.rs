//! What rfab 0.1.0 wrote, as it is kept beside this file.
//!
//! `release.jsonl` is the journal of a release that came to its end, one record a line; `@PROJECT@` stands for the
//! project's folder. `runs.txt` has what differs in others: `run NAME lines N on OTHER STATE` begins one that has the
//! first N records of the release, and then those that follow. STATE is what the world was when that run was over, as
//! far as it differs from OTHER's. A ledger is a number of lines of the longest one, and then lines of its own.
use crate::made_up::Shop;
use rfab::{
    effect::Admin,
    host::Name,
    model::{Fact, Machine, Model, Release},
    store::Journal,
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub const FABFILE: &str = include_str!("0.1.0/fabfile.rhai");
pub const FLEET: &str = include_str!("0.1.0/prod.toml");
const RELEASE: &str = include_str!("0.1.0/release.jsonl");
const RUNS: &str = include_str!("0.1.0/runs.txt");

/// When its commits were made.
const DATES: [(&str, &str); 2] =
    [("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"), ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")];

/// The shop whose runs were recorded: it has the same commits.
pub fn shop() -> Shop {
    let shop = Shop::dated(FABFILE, &[("prod", FLEET)], &DATES);
    assert_eq!(shop.stable, "5e6c9968ae0586a5408600bb250a73ffd3dc6b17");
    shop
}

/// Everything that was recorded.
pub struct Recorded {
    /// The runs, in the order of the file.
    pub runs: Vec<Run>,
    ledgers: Value,
    before: Value,
}

/// A run of rfab 0.1.0.
pub struct Run {
    pub name: &'static str,
    records: Vec<&'static str>,
    state: Value,
}

impl Recorded {
    pub fn read() -> Recorded {
        let mut recorded = Recorded { runs: Vec::new(), ledgers: Value::Null, before: Value::Null };
        for line in RUNS.lines() {
            match line.split_once(' ') {
                Some(("ledgers", json)) => recorded.ledgers = parsed(json),
                Some(("before", json)) => recorded.before = parsed(json),
                Some(("run", rest)) => {
                    let run = recorded.run_of(rest);
                    recorded.runs.push(run);
                }
                _ => recorded.runs.last_mut().expect("a run").records.push(line),
            }
        }
        recorded
    }

    fn run_of(&self, text: &'static str) -> Run {
        let [name, "lines", lines, "on", other, json] = text.splitn(6, ' ').collect::<Vec<_>>()[..] else {
            panic!("it isn't a run: {text}");
        };
        let mut state = if other == "before" { self.before.clone() } else { self.named(other).state.clone() };
        put(&mut state, parsed(json));
        Run { name, records: RELEASE.lines().take(lines.parse().expect("a number")).collect(), state }
    }

    pub fn named(&self, name: &str) -> &Run {
        self.runs.iter().find(|run| run.name == name).unwrap_or_else(|| panic!("no run `{name}` was recorded"))
    }

    /// The world before the release.
    pub fn before(&self, shop: &Shop) -> Model {
        self.model(shop, &self.before)
    }

    /// The world as a run left it.
    pub fn after(&self, shop: &Shop, run: &Run) -> Model {
        self.model(shop, &run.state)
    }

    fn model(&self, shop: &Shop, state: &Value) -> Model {
        let mut model = shop.known();
        (model.now, model.runs) = (of(&state["now"]), of(&state["runs"]));
        (model.sick, model.harmed) = (of(&state["sick"]), of(&state["harmed"]));
        for (key, machine) in model.machines.iter_mut() {
            let key = format!("{}/{}", key.0, key.1);
            fill(machine, &state["machines"][&key]);
            machine.ledger = lines(&state["machines"][&key]["ledger"], &self.ledgers["machines"][&key]);
        }
        for (at, server) in model.servers.iter_mut() {
            let known = &state["servers"][format!("{}/{}/{}/{}", at.0, at.1, at.2, at.3)];
            server.admin = Fact::Told(of::<Admin>(&known["admin"]));
            server.open = Fact::Told(of(&known["open"]));
            (server.since, server.strange) = (of(&known["since"]), of(&known["strange"]));
        }
        for (name, kept) in model.states.iter_mut() {
            let known = &state["states"][&**name];
            kept.project = of::<Option<String>>(&known["project"]).map(|text| text.replace("@PROJECT@", &folder(shop)));
            let all = known["ledgers"].as_object().expect("ledgers");
            let ledger = |(place, kept): (&String, &Value)| {
                (Name::from(place.as_str()), lines(kept, &self.ledgers["states"][&**name][place]))
            };
            kept.ledgers = all.iter().map(ledger).collect();
        }
        model
    }
}

impl Run {
    /// The texts of its records, in that shop.
    pub fn texts(&self, shop: &Shop) -> Vec<String> {
        self.records.iter().map(|text| text.replace("@PROJECT@", &folder(shop))).collect()
    }

    /// Writes its journal.
    pub fn journal(&self, shop: &Shop, file: &Path) {
        let journal = Journal::create(file).unwrap();
        self.texts(shop).iter().for_each(|text| journal.append(text.as_bytes(), false).unwrap());
    }
}

/// The project's folder.
pub fn folder(shop: &Shop) -> String {
    shop.project.script.folder.display().to_string()
}

fn fill(machine: &mut Machine, state: &Value) {
    machine.releases = told::<BTreeSet<Release>>(&state["releases"]);
    machine.current = told(&state["current"]);
    machine.running = told(&state["running"]);
    machine.up_at = told(&state["up_at"]);
    machine.set_up = told(&state["set_up"]);
    machine.made = of::<Vec<(Release, String)>>(&state["made"]).into_iter().collect();
    machine.ended = of::<BTreeMap<String, i32>>(&state["ended"]);
    machine.lost = of(&state["lost"]);
    machine.changes = of(&state["changes"]);
    machine.restarts = of(&state["restarts"]);
}

/// A ledger: how many lines of the longest one, and then its own.
fn lines(kept: &Value, longest: &Value) -> Vec<String> {
    let kept = kept.as_array().expect("a ledger");
    let first = of::<Vec<String>>(longest).into_iter().take(of::<usize>(&kept[0]));
    first.chain(kept[1..].iter().map(of)).collect()
}

/// Puts what differs into a state: objects are merged.
fn put(state: &mut Value, differs: Value) {
    match (state, differs) {
        (Value::Object(state), Value::Object(differs)) => {
            for (key, value) in differs {
                put(state.entry(key).or_insert(Value::Object(Map::new())), value);
            }
        }
        (state, differs) => *state = differs,
    }
}

fn told<T: serde::de::DeserializeOwned>(value: &Value) -> Fact<T> {
    Fact::Told(of(value))
}

fn of<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}
