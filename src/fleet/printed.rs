//! The hosts that a fleet's `hosts_from` printed.
use super::{
    location::WrittenAt,
    tree::{KeyValue, Node, NodeValue, join, one_line},
    wrong::Problem,
};
use crate::command::Command;
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// The most of the output that an error shows, in characters.
const SHOWN: usize = 200;

const OBJECT: &str = "print an object, such as `{ \"web1\": { \"roles\": [\"web\"] } }`";

/// Formats the command for people.
pub(super) fn shown(words: &[String]) -> String {
    format!("`{}`", Command::Words(words.to_vec()).shown())
}

/// Adds printed hosts after those in the tree. `command` is the node that names the command, `by` its text for errors.
pub(super) fn merge(tree: &mut Node, command: &Node, by: &str, printed: &str) -> Result<(), Problem> {
    let wrong = |message: String| Problem::new(message, command.place("who prints them"));
    if printed.trim().is_empty() {
        return Err(wrong(format!("{by} printed nothing")).help(OBJECT));
    }
    let begins: String = one_line(printed).chars().take(SHOWN).collect();
    let said: PrintedHosts = serde_json::from_str(printed).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => {
            wrong(format!("what {by} printed isn't a JSON object")).help(format!("it printed: {begins}; {OBJECT}"))
        }
        _ => wrong(format!("what {by} printed isn't JSON: {e}")).help(format!("it printed: {begins}")),
    })?;
    if said.0.is_empty() {
        let help =
            "a fleet without hosts is usually a mistake: let the program fail, or name hosts only under `[hosts]`";
        return Err(wrong(format!("{by} printed no hosts")).help(help));
    }
    let at = WrittenAt::Printed(by.into());
    let entries = said.0.iter().map(|(name, value)| {
        let node = Node::from_json(value, &join("", name), &at)?;
        Ok(KeyValue { key: name.clone(), at: at.clone(), node })
    });
    let entries: Vec<KeyValue> = entries.collect::<Result<_, Problem>>()?;
    // If it isn't a table, the reading of the fleet reports that.
    let NodeValue::Table(top) = &mut tree.value else { return Ok(()) };
    match top.iter_mut().find(|entry| entry.key == "hosts") {
        Some(KeyValue { node: Node { value: NodeValue::Table(hosts), .. }, .. }) => hosts.extend(entries),
        Some(_) => {}
        None => {
            let node = Node { value: NodeValue::Table(entries), path: "hosts".to_owned(), at: at.clone() };
            top.push(KeyValue { key: "hosts".to_owned(), at, node });
        }
    }
    Ok(())
}

/// Hosts in the order of the output. A host that appears twice stays in twice.
struct PrintedHosts(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for PrintedHosts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<PrintedHosts, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = PrintedHosts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<PrintedHosts, A::Error> {
                let mut hosts = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    hosts.push(entry);
                }
                Ok(PrintedHosts(hosts))
            }
        }
        from.deserialize_map(Visitor)
    }
}
