//! A host, as plain data.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A name that is shared instead of copied.
pub type Name = Arc<str>;

/// A machine that rfab reaches over ssh.
///
/// A balancer's machine is one too, without a group or roles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The fleet that it belongs to. Two fleets may have hosts with the same name.
    pub fleet: Name,
    pub name: Name,
    /// Where it's reached, if that isn't its name.
    pub address: Option<Name>,
    pub group: Option<Name>,
    pub roles: Vec<Name>,
    /// The keys of the host that rfab doesn't know.
    pub vars: BTreeMap<String, serde_json::Value>,
}

impl Host {
    /// Returns the name or address to give to ssh.
    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The smallest number of hosts that is written as a range.
const RANGE: usize = 4;

/// Lists the names of hosts briefly. Consecutive numbers are written as a range, as in a fleet file: `web[1..4]`.
pub fn listed(names: &[&str]) -> String {
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for name in names {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| follows(last, name)) => run.push(name),
            _ => runs.push(vec![name]),
        }
    }
    let said = |run: Vec<&str>| {
        if run.len() < RANGE {
            run.join(", ")
        } else {
            let (stem, first) = numbered(run[0]).expect("it was followed");
            let (_, last) = numbered(run[run.len() - 1]).expect("it follows");
            format!("{stem}[{first}..{last}]")
        }
    };
    runs.into_iter().map(said).collect::<Vec<_>>().join(", ")
}

/// Splits a name into the part before the number at its end, and that number's digits.
fn numbered(name: &str) -> Option<(&str, &str)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.len() < name.len()).then(|| name.split_at(stem.len()))
}

/// Returns whether a name is another one with the next number. With leading zeros, both numbers have the same width.
fn follows(before: &str, name: &str) -> bool {
    let (Some((stem, last)), Some((other, next))) = (numbered(before), numbered(name)) else { return false };
    let width = if last.starts_with('0') || next.starts_with('0') { last.len() } else { 0 };
    let Some(number) = last.parse::<u64>().ok().and_then(|last| last.checked_add(1)) else { return false };
    stem == other && format!("{number:0width$}") == next
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn hosts_that_are_numbered_one_after_the_other_are_a_range_and_others_are_named() {
        for (names, said) in [
            ("", ""),
            ("web1 web2 web3", "web1, web2, web3"),
            ("web1 web2 web3 web4", "web[1..4]"),
            ("web8 web9 web10 web11 jobs1", "web[8..11], jobs1"),
            ("web08 web09 web10 web11", "web[08..11]"),
            ("web8 web09 web10 web11", "web8, web09, web10, web11"),
            ("web1 web2 web3 web4 web6 web7 web8 web9", "web[1..4], web[6..9]"),
            ("a1 b2 c3 d4", "a1, b2, c3, d4"),
            ("lb db web", "lb, db, web"),
            (
                "w99999999999999999999 w1 w18446744073709551615 w0",
                "w99999999999999999999, w1, w18446744073709551615, w0",
            ),
        ] {
            assert_eq!(listed(&names.split_whitespace().collect::<Vec<_>>()), said);
        }
    }
}
