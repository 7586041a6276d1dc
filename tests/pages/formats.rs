//! The committed schemas accept what real runs write, and refuse what no run writes.

use crate::project;
use crate::project::Project;
use rfab::{
    cli::listing,
    event::Event,
    failure::Cause,
    model::Model,
    session::Fault,
    simulate::{Scenario, Simulation},
    store::{Ending, Filter, Runs},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Returns whether a value has a type of these schemas.
fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` isn't a type that this test knows"),
    }
}

/// Returns whether a text matches a pattern of these schemas.
fn fits(pattern: &str, text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[0-9a-f]{40}([0-9a-f]{24})?$" => {
            [40, 64].contains(&text.len()) && text.bytes().all(|b| b"0123456789abcdef".contains(&b))
        }
        "^[1-5][0-9]{2}[.]{2}[1-5][0-9]{2}$" => text.split_once("..").is_some_and(|(first, last)| {
            [first, last].iter().all(|end| end.len() == 3 && number(end) && *end >= "100" && *end < "600")
        }),
        "^[0-9]+%$" => text.strip_suffix('%').is_some_and(number),
        "^[0-9]+(ms|s|m|h)$" => ["ms", "s", "m", "h"].iter().any(|unit| text.strip_suffix(unit).is_some_and(number)),
        other => panic!("`{other}` isn't a pattern that this test knows"),
    }
}

/// A schema of `docs/schema`; it supports only what these schemas use.
struct Schema(Value);

impl Schema {
    fn of(name: &str) -> Schema {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
        Schema(serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap())
    }

    /// Returns what is wrong with a value; `None` if it matches the schema.
    fn wrong(&self, value: &Value) -> Option<String> {
        self.check(&self.0, value, "$").err()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        for (keyword, wanted) in schema.as_object().unwrap() {
            let fine = match keyword.as_str() {
                "$schema" | "title" | "description" | "$defs" => true,
                "required" => wanted.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
                "$ref" => {
                    let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    return self.check(&self.0["$defs"][name], value, at);
                }
                "oneOf" => {
                    let fitting = wanted.as_array().unwrap().iter().filter(|one| self.check(one, value, at).is_ok());
                    fitting.count() == 1
                }
                "anyOf" => wanted.as_array().unwrap().iter().any(|one| self.check(one, value, at).is_ok()),
                "const" => value == wanted,
                "enum" => wanted.as_array().unwrap().contains(value),
                "type" => is_of(wanted.as_str().unwrap(), value),
                "minimum" => value.as_i64().is_none_or(|n| n >= wanted.as_i64().unwrap()),
                "maximum" => value.as_i64().is_none_or(|n| n <= wanted.as_i64().unwrap()),
                "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap()),
                "pattern" => value.as_str().is_none_or(|text| fits(wanted.as_str().unwrap(), text)),
                "items" => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{at}[{i}]"))?;
                    }
                    true
                }
                "properties" => {
                    for (key, inner) in value.as_object().into_iter().flatten() {
                        if let Some(schema) = wanted.get(key) {
                            self.check(schema, inner, &format!("{at}.{key}"))?;
                        }
                    }
                    assert!(schema["required"].is_array(), "{at}: what must be there is said");
                    true
                }
                "additionalProperties" => {
                    let known = |key: &str| schema["properties"].get(key).is_some();
                    let others = value.as_object().into_iter().flatten().filter(|(key, _)| !known(key));
                    for (key, inner) in others.clone().filter(|_| wanted.is_object()) {
                        self.check(wanted, inner, &format!("{at}.{key}"))?;
                    }
                    *wanted != false || others.count() == 0
                }
                "minProperties" => value.as_object().is_none_or(|all| all.len() as u64 >= wanted.as_u64().unwrap()),
                other => panic!("`{other}` isn't a keyword that this test knows"),
            };
            if !fine {
                return Err(format!("{at}: `{keyword}` doesn't hold for {value}"));
            }
        }
        Ok(())
    }
}

const TASKS: &str = "
import \"std/deploy\" as deploying;
import \"std/proxy\" as proxying;
fn release(reference) { deploying::release(reference, #{
    migrate: |host| host.run(\"bin/migrate\"),
    restart: |host| { ui::note(\"restarts\"); service::restart(host) },
}) }
fn flip() { proxying::flip() }
fn wrong() { ui::warn(\"careful\"); [1][7] }
";

/// Runs that end in many ways: done, refused, with a script's mistake, killed halfway.
fn runs() -> Vec<Simulation> {
    let project = Project::of(TASKS).tagged();
    let mut runs: Vec<Simulation> =
        ["prod release:stable", "prod flip", "wrong"].into_iter().map(|line| project.run(line)).collect();
    for fault in [Fault::KilledBefore(40), Fault::FailsAt(60)] {
        let wish = Scenario { seed: 1, fault: Some(fault), ..Scenario::default() };
        runs.push(project.run_on("prod release:stable", Model::new(), wish));
    }
    runs
}

fn values(events: &[Event]) -> Vec<Value> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

#[test]
fn every_event_of_a_run_is_as_the_schema_says_and_the_last_is_the_table() {
    let schema = Schema::of("event.json");
    for run in runs() {
        let events = values(&run.events);
        for event in &events {
            let wrong = schema.0["oneOf"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["properties"]["event"]["const"] == event["event"]);
            let why = wrong.map(|one| schema.check(one, event, "$"));
            assert!(schema.wrong(event).is_none(), "{event:#} {why:?}");
        }
        assert_eq!(events.last().unwrap()["event"], "run_finished");
        assert_eq!(events.iter().filter(|event| event["event"] == "run_finished").count(), 1);
    }
}

#[test]
fn the_schema_of_events_has_the_name_of_each_cause_of_a_failure() {
    let schema = Schema::of("event.json");
    let known = &schema.0["$defs"]["failure"]["properties"]["cause"]["anyOf"][0]["enum"];
    let names: Vec<String> = Cause::ALL.iter().map(|(cause, _)| cause.name()).collect();
    assert_eq!(*known, serde_json::json!(names));
}

#[test]
fn the_schema_of_events_knows_all_that_can_happen_and_nothing_else() {
    let schema = Schema::of("event.json");
    let known: BTreeSet<String> = schema.0["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["properties"]["event"]["const"].as_str().unwrap().to_owned())
        .collect();
    let source = include_str!("../../src/event.rs");
    let (_, rest) = source.split_once("pub enum EventKind {").unwrap();
    let variants =
        rest.split("\n}").next().unwrap().lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"));
    let snake = |name: &str| {
        let mut snake = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        snake
    };
    assert_eq!(known, variants.map(snake).collect());
    let event = json!({ "v": 1, "at": 0, "run": "r", "lane": "", "event": "task_started", "task": "t" });
    assert_eq!(schema.wrong(&event), None);
    for (key, value) in [
        ("v", json!(2)),
        ("at", json!("soon")),
        ("event", json!("task_begun")),
        ("more", json!(1)),
        ("task", json!(null)),
    ] {
        let mut event = event.clone();
        event[key] = value;
        assert!(schema.wrong(&event).is_some(), "{key}");
    }
}

#[test]
fn every_line_of_a_ledger_is_as_the_schema_says() {
    let schema = Schema::of("ledger-line.json");
    let mut count = 0;
    for run in runs() {
        let hosts = run.model.machines.values().flat_map(|machine| &machine.ledger);
        for line in hosts.chain(run.model.states.values().flat_map(|state| state.ledgers.values().flatten())) {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(schema.wrong(&line), None, "{line:#}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} lines");
    let line =
        json!({ "v": 1, "run": "r", "seq": 1, "at": "", "who": "", "from": "", "effect": "drain", "phase": "ok" });
    assert_eq!(schema.wrong(&line), None);
    for (key, value) in [("phase", json!("done")), ("commit", json!("abc")), ("more", json!(1)), ("seq", json!(-1))] {
        let mut line = line.clone();
        line[key] = value;
        assert!(schema.wrong(&line).is_some(), "{key}");
    }
}

#[test]
fn the_list_of_tasks_is_as_the_schema_says() {
    let schema = Schema::of("task-list.json");
    let project = Project::of("import \"db\" as db;\n/// Tunes.\nfn tune(pool, options) { }")
        .with("db.rhai", "fn copy(table) { }");
    let list: Value = serde_json::from_str(&listing::json(&project.load().unwrap().tasks)).unwrap();
    assert_eq!(schema.wrong(&list), None, "{list:#}");
    assert_eq!(list["tasks"].as_array().unwrap().len(), 3);
}

#[test]
fn a_run_of_the_history_is_as_the_schema_says_whether_it_ended_or_not() {
    let schema = Schema::of("run.json");
    let folder = tempfile::tempdir().unwrap();
    let runs = Runs::new(folder.path().join("runs"));
    let list = || -> Vec<Value> {
        let listed = runs.list(&Filter::default(), 9).unwrap().runs;
        listed.iter().map(|run| serde_json::to_value(run).unwrap()).collect()
    };
    let head = json!({ "v": 1, "run": "a", "line": "prod", "tasks": ["prod"], "flags": [], "argv": [], "who": "alice", "on_behalf_of": null,
        "from": "laptop", "since": "2026-11-24T23:05:00Z", "fabfile": "/f", "digest": "d" });
    let journal = runs.begin(&serde_json::from_value(head).unwrap()).unwrap().journal;
    let running = list();
    assert_eq!((schema.wrong(&running[0]), &running[0]["outcome"]), (None, &json!("running")));
    let ended = json!({ "ended": { "exit": 0, "took": 9, "commit": "f00", "table": [] } });
    journal.append(ended.to_string().as_bytes(), true).unwrap();
    let done = list();
    assert_eq!((schema.wrong(&done[0]), &done[0]["outcome"]), (None, &json!("done")));
    let words: Vec<&str> = Ending::ALL.iter().map(|ending| ending.word()).collect();
    assert_eq!(schema.0["properties"]["outcome"]["enum"], json!(words));
    for (key, value) in [("outcome", json!("fine")), ("exit", json!(-1)), ("more", json!(1)), ("fleets", json!("prod"))]
    {
        let mut run = done[0].clone();
        run[key] = value;
        assert!(schema.wrong(&run).is_some(), "{key}");
    }
}

/// Returns the files below a folder with this ending.
fn below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let deep = |path: PathBuf| if path.is_dir() { below(&path, ending) } else { vec![path] };
    entries.flat_map(deep).filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

#[test]
fn every_fleet_file_of_the_project_is_what_the_schema_says_and_what_rfab_refuses_is_not() {
    let schema = Schema::of("fleet.json");
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wrong = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        schema.wrong(&serde_json::to_value(table).unwrap())
    };
    let files = ["fleets", "examples"].map(|folder| below(&top.join(folder), ".toml")).concat();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(wrong(&fs::read_to_string(&file).unwrap()), None, "{}", file.display());
    }
    let page = fs::read_to_string(top.join("docs/fleet.md")).unwrap();
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(wrong(example), None);
    assert_eq!(wrong(project::FLEET), None);
    for (right, slip) in [
        ("guarded     = true", "guarded = \"yes\""),
        ("guarded     = true", "guardet = true"),
        ("keep       = 5", "keep = 0"),
        ("path       = ", "paths = "),
        ("drain_within = \"60s\"", "drain_within = \"60\""),
        ("\"haproxy\"", "\"nginx\""),
        ("min_live     = 18", "min_live = \"18\""),
        ("\"tag\"]", "\"tags\"]"),
    ] {
        assert!(example.contains(right), "{right}");
        let text = example.replacen(right, slip, 1);
        assert!(wrong(&text).is_some(), "{slip} fits the schema");
        let project = Project::bare("").with("fleet.toml", &text).with("ssh_config", "");
        assert!(rfab::fleet::read("fleet.toml", project.path(), &[]).is_err(), "{slip} is a fleet");
    }
}
