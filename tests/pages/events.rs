//! The page of events matches their schema.
use lab::page;
use serde_json::Value;
use std::{fs, path::Path};

const BEGINS: &str = "# The events of `--json`

<!-- Made by `scripts/pages` from `docs/schema/event.json`; don't edit. -->

With `--json`, a run writes one event per line to stdout, as it happens. An event is a JSON object that follows [this
schema](schema/event.json). There are few kinds of event, and they report what has already happened. `v` increases when
a kind or a field is removed or changes its meaning. New ones can appear without that, so ignore what you don't know.

- The first event is `run_started`. The last one is always `run_finished`, even after a failure or Ctrl-C.
- If rfab doesn't understand the line, or the fabfile doesn't compile, there are no events. Then stdout is empty, and
  the [exit code](exit-codes.md) is 2 or 3.
- Things that happen in parallel each have their own `lane`.
- The wording of texts for people (`text`, `message`, `help`) can change in the next version. Base decisions on
  `exit`, `result`, `cause` and `balancer`.
- [Secrets](secrets.md) are `***` in every text.

```sh
rfab --json prod status | jq -r 'select(.event == \"run_finished\") | .table[] | [.host, .new, .balancer] | @tsv'
```

";

/// The fields that every event has.
const COMMON: [&str; 5] = ["v", "at", "run", "lane", "event"];

/// Returns the type of a value, in words.
fn is(schema: &Value) -> String {
    let word = |one: &Value| one.as_str().map_or("null".to_owned(), |word| format!("`{word}`"));
    let words = |of: &Value| of.as_array().unwrap().iter().map(word).collect();
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return format!("[{name}](#{name})");
    }
    if let Some(one) = schema.get("const") {
        return format!("`{}`", one.to_string().trim_matches('"'));
    }
    if schema["enum"].is_array() {
        let words: Vec<String> = words(&schema["enum"]);
        // A long list has its own page.
        return if words.len() > 20 { "name".to_owned() } else { words.join(", ") };
    }
    if let Some(some) = schema["anyOf"].as_array() {
        return some.iter().map(is).collect::<Vec<_>>().join(" or ");
    }
    if let Some(some) = schema["type"].as_array() {
        let named = |kind: &Value| is(&serde_json::json!({ "type": kind }));
        return some.iter().map(named).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str().expect("a type") {
        "array" => format!("list of {}", is(&schema["items"])),
        "integer" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => "text".to_owned(),
        "object" => "objects".to_owned(),
        other => other.to_owned(),
    }
}

/// Returns a row for each field, and for the fields of objects in it.
fn rows(fields: &Value, of: &str) -> String {
    let mut rows = String::new();
    for (name, schema) in fields.as_object().unwrap() {
        if of.is_empty() && COMMON.contains(&&**name) {
            continue;
        }
        let what = schema["description"].as_str().unwrap_or_default();
        rows += &format!("| `{of}{name}` | {} | {what} |\n", is(schema));
        let inner = &schema["items"]["properties"];
        if inner.is_object() {
            rows += &self::rows(inner, &format!("{of}{name}[]."));
        }
    }
    rows
}

fn section(title: &str, schema: &Value, of: &str) -> String {
    let table = rows(&schema["properties"], of);
    let text = schema["description"].as_str().expect("what it is");
    format!("## `{title}`\n\n{text}\n\n| field | is | |\n|---|---|---|\n{table}\n")
}

#[test]
fn the_page_of_events_is_made_from_their_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/event.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let events = schema["oneOf"].as_array().unwrap();
    let common = &events[0]["properties"];
    let mut text = format!("{BEGINS}## Every event\n\n| field | is | |\n|---|---|---|\n");
    for name in COMMON {
        let (what, kind) = match name {
            "event" => ("Its kind. Each kind has a heading below.", "text".to_owned()),
            name => (common[name]["description"].as_str().expect(name), is(&common[name])),
        };
        text += &format!("| `{name}` | {kind} | {what} |\n");
    }
    text.push('\n');
    for event in events {
        text += &section(event["properties"]["event"]["const"].as_str().unwrap(), event, "");
    }
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        text += &section(name, schema, "").replace(&format!("## `{name}`"), &format!("## {name}"));
    }
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        assert!(!row.ends_with("|  |"), "the schema doesn't say what this is: {row}");
    }
    page::check("events.md", &format!("{}\n", text.trim_end()));
}
