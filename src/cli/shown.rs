//! What `--show` says of one run.
use super::when::long;
use crate::{
    host::Name,
    report::{self, Palette, visible},
    store::{Head, Record, Tail},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// So many of the effects that took longest are named.
const SLOWEST: usize = 5;

/// Each record as one line of JSON.
pub fn json(records: &[String]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Who ran what, everything that came through the door, where the time went, and the closing table.
pub fn text(records: &[Record], palette: Palette) -> String {
    let done = done(records);
    let tail = match records.last() {
        Some(Record::Ended(tail)) => Some(tail),
        _ => None,
    };
    let head = match records.first() {
        Some(Record::Begun(head)) => head_of(head, records, tail),
        _ => String::new(),
    };
    let effects: String = done.iter().map(|done| done.line(true)).collect();
    let end = match tail {
        Some(tail) => format!("ended with {} after {} ms\n", tail.exit, tail.took),
        None => "it has not come to its end\n".to_owned(),
    };
    let table = tail.map(|tail| report::table(&tail.table, palette)).unwrap_or_default();
    let parts = [head, effects, hosts(&done), slowest(&done), end, table];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head_of(head: &Head, records: &[Record], tail: Option<&Tail>) -> String {
    let on_behalf = head.on_behalf_of.as_ref().map(|who| format!(" on behalf of {who}")).unwrap_or_default();
    let (fleets, hosts) = concerned(records, tail);
    let names = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let lines = [
        ("run", head.run.to_string()),
        ("line", format!("rfab {}", head.line)),
        ("flags", head.flags.join(" ")),
        ("by", format!("{}{on_behalf}, from {}, at {}", head.who, head.from, head.since)),
        ("fabfile", format!("{} (sha256 {})", head.fabfile, head.digest)),
        ("fleets", names(fleets)),
        ("hosts", names(hosts)),
        ("commit", tail.and_then(|tail| tail.commit.as_deref()).unwrap_or_default().to_owned()),
    ];
    let said = lines.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(word, text)| format!("{word:<8} {}\n", visible(&text, false))).collect()
}

/// The fleets and the hosts that a run did something on, or ended with.
fn concerned<'a>(records: &'a [Record], tail: Option<&'a Tail>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let (mut fleets, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        if let Record::Effect { host, things, .. } = record {
            hosts.extend(host.as_deref());
            fleets.extend(things.iter().filter_map(|thing| Some(thing.rsplit_once(' ')?.1.split_once('/')?.0)));
        }
    }
    hosts.extend(tail.iter().flat_map(|tail| &tail.table).map(|row| &*row.host));
    (fleets, hosts)
}

/// An effect that came back.
struct Done<'a> {
    took: u64,
    host: &'a str,
    what: &'a str,
    failed: Option<&'a str>,
}

impl Done<'_> {
    /// How long it took, where, what it was, and why it failed.
    fn line(&self, whole: bool) -> String {
        let why = self.failed.filter(|_| whole).map(|why| why.lines().next().unwrap_or_default());
        let failed = why.map(|why| format!("  failed: {why}")).unwrap_or_default();
        visible(&format!("{:>8} ms  {:<12}  {}{failed}", self.took, self.host, self.what), false) + "\n"
    }
}

/// What came back, in that order.
fn done(records: &[Record]) -> Vec<Done<'_>> {
    let mut asked: HashMap<(&Name, u32), (&str, &str)> = HashMap::new();
    let mut done = Vec::new();
    for record in records {
        let (lane, number, took, failed) = match record {
            Record::Effect { lane, number, text, host, .. } => {
                asked.insert((lane, *number), (text, host.as_deref().unwrap_or_default()));
                continue;
            }
            Record::Answered { lane, number, took, .. } => (lane, number, took, None),
            Record::Failed { lane, number, took, failure } => (lane, number, took, Some(&*failure.message)),
            _ => continue,
        };
        if let Some((what, host)) = asked.get(&(lane, *number)) {
            done.push(Done { took: *took, host, what, failed });
        }
    }
    done
}

/// How long each host was worked on.
fn hosts(done: &[Done]) -> String {
    let mut hosts: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for done in done.iter().filter(|done| !done.host.is_empty()) {
        let (took, count) = hosts.entry(done.host).or_default();
        (*took, *count) = (*took + done.took, *count + 1);
    }
    let line = |(host, (took, count)): (&str, (u64, usize))| {
        let effects = if count == 1 { "effect" } else { "effects" };
        visible(&format!("{:>11}  {host:<12}  {count} {effects}", long(took)), false) + "\n"
    };
    titled("time on each host", hosts.into_iter().map(line).collect())
}

fn slowest(done: &[Done]) -> String {
    if done.len() <= SLOWEST {
        return String::new();
    }
    let mut slowest: Vec<&Done> = done.iter().collect();
    slowest.sort_by_key(|done| std::cmp::Reverse(done.took));
    titled("slowest", slowest[..SLOWEST].iter().map(|done| done.line(false)).collect())
}

fn titled(title: &str, lines: String) -> String {
    if lines.is_empty() { lines } else { format!("{title}\n{lines}") }
}
