//! Keys of a fleet that the user sets for one run: `--set app.keep=3`.
use super::{
    location::{Location, WrittenAt},
    tree::{KeyValue, Node, NodeValue, join},
    wrong::Problem,
};
use toml::de::{DeTable, DeValue};

/// One `--set`, split into key and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The keys from the top down.
    keys: Vec<String>,
    value: String,
    /// The text as typed.
    text: String,
}

/// Why a `--set` can't be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`--set {0}` sets nothing")]
pub struct Malformed(String);

impl Malformed {
    /// Says what to write instead.
    pub fn help(&self) -> &'static str {
        "write it as `--set app.keep=3`"
    }
}

impl std::str::FromStr for Set {
    type Err = Malformed;

    /// Splits `KEY=VALUE`. A key has dots as in TOML, and quotes around a part that contains a dot.
    fn from_str(text: &str) -> Result<Set, Malformed> {
        let malformed = || Malformed(text.to_owned());
        let (key, value) = split(text).ok_or_else(malformed)?;
        let keys = keys(key).ok_or_else(malformed)?;
        Ok(Set { keys, value: value.to_owned(), text: text.to_owned() })
    }
}

/// Splits at the first `=` outside quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&text[..i], &text[i + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// Reads a dotted key as TOML does.
fn keys(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '#']) || key.trim_start().starts_with('[') {
        return None;
    }
    let line = format!("{key} = 0");
    let document = DeTable::parse(&line).ok()?;
    let mut table = document.get_ref();
    let mut keys = Vec::new();
    loop {
        let (key, value) = table.iter().next()?;
        keys.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}

/// Puts a value into the tree, and makes the tables that are missing on the way. It refuses to change a gate.
///
/// A value that isn't TOML is a text: `--set app.path=/srv/x`.
pub(super) fn apply(tree: &mut Node, set: &Set) -> Result<(), Problem> {
    let mut changed = tree.clone();
    put(&mut changed, set)?;
    if gates(&changed) == gates(tree) {
        *tree = changed;
        return Ok(());
    }
    let at = WrittenAt::Set(set.text.clone());
    let place = Location { path: set.keys.join("."), at, label: "stays as it is".into() };
    Err(Problem::new("`--set` can't change the gate", place)
        .help("to deploy without it, give a reason: `--without-gate=REASON`"))
}

/// Returns the gates of a fleet and of its apps, each with its place.
fn gates(tree: &Node) -> Vec<(String, serde_json::Value)> {
    let app = tree.inner("app");
    let apps = app.map_or(&[][..], |app| match &app.value {
        NodeValue::Table(entries) => entries,
        _ => &[],
    });
    let tables = [Some(tree), app].into_iter().flatten().chain(apps.iter().map(|entry| &entry.node));
    let gates = tables.filter_map(|table| table.inner("gate"));
    gates.map(|gate| (gate.path.clone(), gate.to_json())).collect()
}

fn put(tree: &mut Node, set: &Set) -> Result<(), Problem> {
    let at = WrittenAt::Set(set.text.clone());
    let mut here = tree;
    for (depth, key) in set.keys.iter().enumerate() {
        let path = join(&here.path, key);
        let (outer, kind) = (here.path.clone(), here.kind());
        let NodeValue::Table(entries) = &mut here.value else {
            let place = Location { path, at, label: "not a table".into() };
            return Err(Problem::new(format!("`{outer}` is {kind}, not a table"), place));
        };
        let i = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            let node = Node { value: NodeValue::Table(Vec::new()), path: path.clone(), at: at.clone() };
            entries.push(KeyValue { key: key.clone(), at: at.clone(), node });
            entries.len() - 1
        });
        if depth + 1 == set.keys.len() {
            entries[i].at = at.clone();
            entries[i].node = Node::from_toml_value(&set.value, &path, &at).unwrap_or_else(|| Node {
                value: NodeValue::Text(set.value.clone()),
                path,
                at: at.clone(),
            });
            return Ok(());
        }
        here = &mut entries[i].node;
    }
    Ok(())
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        MinLive, parse,
        tests::{SHOP, folders},
    };

    #[test]
    fn a_set_is_taken_apart_or_refused() {
        let keys = |text: &str| text.parse::<Set>().map(|set| (set.keys.join("|"), set.value));
        for (text, read) in [
            ("app.keep=3", ("app|keep", "3")),
            ("via=", ("via", "")),
            ("app.health.url=http://x/?a=b", ("app|health|url", "http://x/?a=b")),
            (r#"hosts."web1.example.org".group=a"#, ("hosts|web1.example.org|group", "a")),
            ("hosts.'a=b'.n=1", ("hosts|a=b|n", "1")),
        ] {
            assert_eq!(keys(text), Ok((read.0.into(), read.1.into())), "{text}");
        }
        for text in ["", "app.keep", "=3", "app..keep=3", "app.=3", "a b=3", "[app]=3", "a\nb=3", "#=3", "a.\"b=3"] {
            assert_eq!(keys(text), Err(Malformed(text.into())));
        }
        assert_eq!(Malformed("keep".into()).to_string(), "`--set keep` sets nothing");
    }

    #[test]
    fn what_is_set_holds_instead_of_what_is_written() {
        let sets: Vec<Set> = [
            "app.keep=3",
            "balancer.lb1.min_live=80%",
            "guarded=false",
            "accept=[\"branch\"]",
            "app.service.restart=[\"bin/restart\", \"{unit}\"]",
            "app.health.within=2m",
            "app.path=/srv/other",
            "via=\"b.example.org\"",
            "hosts.jobs2.roles=[\"worker\"]",
            "hosts.jobs1.queue=5",
            "app.keep=4",
        ]
        .map(|set| set.parse().unwrap())
        .to_vec();
        let fleet = parse("x", "prod", SHOP, folders(), &sets).unwrap();
        let app = fleet.app.as_ref().unwrap();
        assert_eq!((app.keep, &*app.path, fleet.guarded), (4, "/srv/other", false));
        assert_eq!(fleet.balancers[0].min_live, Some(MinLive::Percent(80)));
        assert_eq!(fleet.accept, [crate::fleet::Accept::Branch]);
        assert_eq!(
            app.service.as_ref().unwrap().restart,
            crate::fleet::Verb::Plain(vec!["bin/restart".into(), "{unit}".into()])
        );
        assert_eq!(app.health.as_ref().unwrap().within.as_secs(), 120);
        assert_eq!(fleet.via.as_deref(), Some("b.example.org"));
        assert_eq!(fleet.host("jobs1").unwrap().vars["queue"], 5);
        assert_eq!(fleet.role("worker").len(), 2);
    }
}
