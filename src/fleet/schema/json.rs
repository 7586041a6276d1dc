//! The keys as a JSON Schema, which an editor uses to complete and check a fleet file.
use super::{FLEET, SchemaKey, SchemaTable, ValueKind};
use serde_json::{Map, Value, json};

/// Returns the schema of a whole fleet file.
pub fn json() -> Value {
    let mut schema = of_table(&FLEET);
    let about = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A fleet file of rfab",
        "description": "Made by `scripts/pages` from `src/fleet/schema.rs`.",
    });
    let mut whole = about.as_object().expect("an object").clone();
    whole.append(schema.as_object_mut().expect("an object"));
    whole.insert("anyOf".into(), json!([{ "required": ["hosts"] }, { "required": ["hosts_from"] }]));
    Value::Object(whole)
}

fn of_table(table: &SchemaTable) -> Value {
    let needed: Vec<&str> = table.keys.iter().filter(|key| key.default == "needed").map(|key| key.name).collect();
    let properties: Map<String, Value> = table.keys.iter().map(|key| (key.name.to_owned(), of_key(key))).collect();
    json!({ "type": "object", "properties": properties, "required": needed, "additionalProperties": table.open })
}

fn of_key(key: &SchemaKey) -> Value {
    let mut schema = of_value(&key.is);
    if !key.what.is_empty() {
        let default = match key.default {
            "needed" => String::new(),
            default => format!(" (default: {})", plain(default)),
        };
        schema["description"] = format!("{}{default}", plain(key.what)).into();
    }
    schema
}

fn of_value(is: &ValueKind) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let texts = json!({ "type": "array", "items": text });
    match is {
        ValueKind::YesNo => json!({ "type": "boolean" }),
        ValueKind::Text => text,
        ValueKind::Number => json!({ "type": "integer", "minimum": 1 }),
        ValueKind::Time => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" }),
        ValueKind::Word(words) => json!({ "enum": words }),
        ValueKind::Words(words) => json!({ "type": "array", "items": { "enum": words } }),
        ValueKind::Texts => texts,
        ValueKind::Command => json!({ "anyOf": [text, texts] }),
        ValueKind::Share => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^[0-9]+%$" }] })
        }
        ValueKind::Statuses => {
            let number = json!({ "type": "integer", "minimum": 100, "maximum": 599 });
            let one =
                json!({ "anyOf": [number, { "type": "string", "pattern": "^[1-5][0-9]{2}[.]{2}[1-5][0-9]{2}$" }] });
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        }
        ValueKind::TextByName => json!({ "type": "object", "additionalProperties": text }),
        ValueKind::TextsOrByName => {
            let either = json!({ "anyOf": [text, texts] });
            json!({ "anyOf": [text, texts, { "type": "object", "additionalProperties": either }] })
        }
        ValueKind::TextsByName => json!({ "type": "object", "additionalProperties": texts }),
        ValueKind::Table(table) => of_table(table),
        ValueKind::OneOrByName(table) => {
            let one = of_table(table);
            json!({ "anyOf": [one, { "type": "object", "minProperties": 1, "additionalProperties": one }] })
        }
        ValueKind::TableByName(table) => json!({ "type": "object", "additionalProperties": of_table(table) }),
    }
}

/// Strips links and code marks from Markdown, so that only the words stay.
fn plain(markdown: &str) -> String {
    let mut plain = String::new();
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        plain += before;
        // A bracket that isn't a link stays.
        match link.split_once("](").and_then(|(words, rest)| Some((words, rest.split_once(')')?.1))) {
            Some((words, after)) if !words.contains([']', '[']) => {
                plain += words;
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    (plain + rest).replace('`', "")
}
