//! A table of a fleet, read key by key.
use super::{
    schema::{self, names},
    tree::{KeyValue, Node, NodeValue},
    wrong::Problem,
};
use crate::misspelled::did_you_mean;

/// The keys at the top of a fleet.
pub(super) const TOP: [&str; 15] = names(&schema::FLEET);

/// A table that is read one key at a time. Problems are gathered in `problems`.
pub(super) struct Section<'t> {
    node: &'t Node,
    entries: &'t [KeyValue],
}

impl<'t> Section<'t> {
    /// Opens a table that may have any keys.
    pub(super) fn any(node: &'t Node, problems: &mut Vec<Problem>) -> Option<Self> {
        match &node.value {
            NodeValue::Table(entries) => Some(Self { node, entries }),
            _ => {
                problems.push(expected("a table", node));
                None
            }
        }
    }

    /// Opens a table that may have only the keys in `known`. A wrong key doesn't hide the right ones.
    pub(super) fn of(node: &'t Node, known: &[&str], problems: &mut Vec<Problem>) -> Option<Self> {
        let section = Self::any(node, problems)?;
        for entry in section.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let misplaced = (!node.path.is_empty() && TOP.contains(&entry.key.as_str()))
                .then(|| format!("`{}` belongs at the top of a fleet file, before the first `[…]`", entry.key));
            let help = did_you_mean(&entry.key, known.iter().copied()).or(misplaced);
            let help = help.unwrap_or_else(|| format!("known here: {}", listed(known)));
            problems
                .push(Problem::new(format!("unknown key `{}`", entry.key), entry.place("not known here")).help(help));
        }
        Some(section)
    }

    pub(super) fn entries(&self) -> &'t [KeyValue] {
        self.entries
    }

    pub(super) fn find(&self, key: &str) -> Option<&'t Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Reads a key that may be absent.
    pub(super) fn get<T>(
        &self,
        key: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&'t Node) -> Result<T, Problem>,
    ) -> Option<T> {
        read(self.find(key)?).map_err(|problem| problems.push(problem)).ok()
    }

    /// Reads a key that must be there.
    pub(super) fn need<T>(
        &self,
        key: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&'t Node) -> Result<T, Problem>,
    ) -> Option<T> {
        if self.find(key).is_none() {
            problems.push(self.lacks(key));
        }
        self.get(key, problems, read)
    }

    /// Describes the problem of a key that is missing.
    pub(super) fn lacks(&self, key: &str) -> Problem {
        match self.node.path.as_str() {
            "" => Problem::bare(format!("the fleet file doesn't set `{key}`")),
            path => Problem::new(format!("`{path}` has no `{key}`"), self.node.place(format!("`{key}` is missing"))),
        }
    }
}

/// Describes the problem of a value of the wrong kind.
pub(super) fn expected(what: &str, node: &Node) -> Problem {
    Problem::new(format!("expected {what}, found {}", node.kind()), node.place(format!("this is {}", node.kind())))
}

/// Joins words for people: `` `a`, `b` or `c` ``.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [head @ .., last] => {
            format!("{} or `{last}`", head.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
    }
}
