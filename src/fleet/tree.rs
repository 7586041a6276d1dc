//! A fleet as written, before its keys are interpreted. It's the same for TOML, a Rhai map and `--set`.
use super::{
    location::{Location, WrittenAt},
    wrong::Problem,
};
use std::{borrow::Cow, ops::Range};
use toml::de::{DeTable, DeValue};

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: NodeValue,
    /// The keys that lead to it, such as `app.health.url`.
    pub path: String,
    pub at: WrittenAt,
}

#[derive(Clone, Debug)]
pub(super) enum NodeValue {
    Nothing,
    Bool(bool),
    Whole(i64),
    Decimal(f64),
    Text(String),
    Date(String),
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<KeyValue>),
}

/// A key of a table, and its value.
#[derive(Clone, Debug)]
pub(super) struct KeyValue {
    pub key: String,
    /// The place of the key itself.
    pub at: WrittenAt,
    pub node: Node,
}

impl Node {
    /// Reads the text of a TOML file.
    pub(super) fn from_toml(text: &str) -> Result<Node, Problem> {
        match DeTable::parse(text) {
            Ok(table) => table_of(table.get_ref(), String::new(), WrittenAt::File(0..0), &WrittenAt::File),
            Err(error) => {
                let place = Location {
                    path: String::new(),
                    at: WrittenAt::File(error.span().unwrap_or(0..0)),
                    label: "here".into(),
                };
                Err(Problem::new(format!("this isn't TOML: {}", one_line(error.message())), place))
            }
        }
    }

    /// Reads a TOML value from after `--set`.
    pub(super) fn from_toml_value(text: &str, path: &str, at: &WrittenAt) -> Option<Node> {
        let value = DeValue::parse(text).ok()?;
        node(value.get_ref(), path.to_owned(), at.clone(), &|_| at.clone()).ok()
    }

    /// Reads a value from a script, or from the output of a command.
    pub(super) fn from_json(json: &serde_json::Value, path: &str, at: &WrittenAt) -> Result<Node, Problem> {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => NodeValue::Nothing,
            Json::Bool(yes) => NodeValue::Bool(*yes),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => NodeValue::Whole(whole),
                (None, Some(decimal)) if number.is_f64() => NodeValue::Decimal(decimal),
                _ => return Err(too_large(path, at.clone())),
            },
            Json::String(text) => NodeValue::Text(text.clone()),
            Json::Array(items) => NodeValue::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| Node::from_json(item, &format!("{path}[{i}]"), at))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(map) => NodeValue::Table(
                map.iter()
                    .map(|(key, item)| {
                        let node = Node::from_json(item, &join(path, key), at)?;
                        Ok(KeyValue { key: key.clone(), at: at.clone(), node })
                    })
                    .collect::<Result<_, Problem>>()?,
            ),
        };
        Ok(Node { value, path: path.to_owned(), at: at.clone() })
    }

    /// Finds the value of a key of a table.
    pub(super) fn inner(&self, key: &str) -> Option<&Node> {
        match &self.value {
            NodeValue::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// Converts a variable of a host for scripts.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            NodeValue::Nothing => serde_json::Value::Null,
            NodeValue::Bool(yes) => (*yes).into(),
            NodeValue::Whole(number) => (*number).into(),
            NodeValue::Decimal(number) => (*number).into(),
            NodeValue::Text(text) | NodeValue::Date(text) => text.clone().into(),
            NodeValue::List(items) => items.iter().map(Node::to_json).collect(),
            NodeValue::Table(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
            }
        }
    }

    /// Names its type in words.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            NodeValue::Nothing => "nothing",
            NodeValue::Bool(_) => "true or false",
            NodeValue::Whole(_) => "a whole number",
            NodeValue::Decimal(_) => "a decimal number",
            NodeValue::Text(_) => "a string",
            NodeValue::Date(_) => "a date",
            NodeValue::List(_) => "a list",
            NodeValue::Table(_) => "a table",
        }
    }

    pub(super) fn place(&self, label: impl Into<String>) -> Location {
        Location { path: self.path.clone(), at: self.at.clone(), label: label.into() }
    }
}

impl KeyValue {
    /// Returns the place of the key, not of its value.
    pub(super) fn place(&self, label: impl Into<String>) -> Location {
        Location { path: self.node.path.clone(), at: self.at.clone(), label: label.into() }
    }
}

/// Appends a key to a path, in quotes if it needs them.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let key = if bare { Cow::Borrowed(key) } else { Cow::Owned(format!("{key:?}")) };
    if path.is_empty() { key.into_owned() } else { format!("{path}.{key}") }
}

/// Puts a message that may have several lines into one.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn table_of(
    table: &DeTable<'_>,
    path: String,
    at: WrittenAt,
    place: &dyn Fn(Range<usize>) -> WrittenAt,
) -> Result<Node, Problem> {
    let mut items: Vec<_> = table.iter().collect();
    items.sort_by_key(|(key, _)| key.span().start);
    let entries = items
        .into_iter()
        .map(|(key, item)| {
            let path = join(&path, key.get_ref());
            let node = node(item.get_ref(), path, place(item.span()), place)?;
            Ok(KeyValue { key: key.get_ref().to_string(), at: place(key.span()), node })
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Node { value: NodeValue::Table(entries), path, at })
}

fn node(
    value: &DeValue<'_>,
    path: String,
    at: WrittenAt,
    place: &dyn Fn(Range<usize>) -> WrittenAt,
) -> Result<Node, Problem> {
    let value = match value {
        DeValue::String(text) => NodeValue::Text(text.to_string()),
        DeValue::Boolean(yes) => NodeValue::Bool(*yes),
        DeValue::Datetime(date) => NodeValue::Date(date.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => NodeValue::Whole(number),
            Err(_) => return Err(too_large(&path, at)),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => NodeValue::Decimal(number),
            _ => return Err(too_large(&path, at)),
        },
        DeValue::Array(items) => NodeValue::List(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| node(item.get_ref(), format!("{path}[{i}]"), place(item.span()), place))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => return table_of(table, path, at, place),
    };
    Ok(Node { value, path, at })
}

fn too_large(path: &str, at: WrittenAt) -> Problem {
    Problem::new("this number is out of range", Location { path: path.to_owned(), at, label: "here".into() })
        .help("use a number between -9223372036854775808 and 9223372036854775807")
}
