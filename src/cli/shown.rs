//! What `--show` prints of one run.
use super::waited;
use crate::{
    duration,
    host::Name,
    release::Sent,
    report::{self, Palette, visible},
    session::CommitNames,
    store::{Attempt, Head, JournalTail, Logs, Record},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many of the slowest effects to name.
const SLOWEST: usize = 5;

/// Returns each record as one line of JSON.
pub(super) fn json(records: &[String]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Returns who ran what, every effect, where the time went, and the closing table.
pub(super) fn text(records: &[Record], palette: Palette) -> String {
    let tail = match records.iter().rfind(|record| !matches!(record, Record::Aborted { .. })) {
        Some(Record::Ended(tail)) => Some(tail),
        _ => None,
    };
    let done = done(records, &CommitNames::in_table(tail.map_or(&[], |tail| &tail.table)));
    let head = match records.first() {
        Some(Record::Begun(head)) => head_of(head, records, tail),
        _ => String::new(),
    };
    let effects: String = done.iter().map(|done| done.line(true)).collect();
    let attempts: String = records.iter().filter_map(attempt).collect();
    let end = match tail {
        Some(tail) => {
            let JournalTail { exit, took, journal, .. } = tail;
            format!("ended with exit code {exit} after {took} ms, {journal} ms of it for the journal\n")
        }
        None => "it hasn't ended\n".to_owned(),
    };
    let table = tail.map(|tail| report::table(&tail.table, palette)).unwrap_or_default();
    let waited = titled("what it waited for", waited::text(records, tail.map(|tail| tail.took)));
    let parts = [head, attempts, effects, steps(records), hosts(&done), slowest(&done), waited, end, table];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head_of(head: &Head, records: &[Record], tail: Option<&JournalTail>) -> String {
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
        ("release", tail.map(release).unwrap_or_default()),
    ];
    let said = lines.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(word, text)| format!("{word:<8} {}\n", visible(&text, false))).collect()
}

/// Returns what was deployed: its name with the commit, or only the commit.
fn release(tail: &JournalTail) -> String {
    let commit = tail.commit.as_deref().unwrap_or_default();
    tail.name.as_ref().map_or(commit.to_owned(), |name| format!("{name} ({commit})"))
}

/// Returns who resumed or aborted the run.
fn attempt(record: &Record) -> Option<String> {
    let text = match record {
        Record::Resumed(Attempt { who, on_behalf_of, from, since }) => {
            let on_behalf = on_behalf_of.as_ref().map(|who| format!(" on behalf of {who}")).unwrap_or_default();
            format!("resumed  by {who}{on_behalf}, from {from}, at {since}")
        }
        Record::Aborted { by } => format!("aborted  by run {by}"),
        _ => return None,
    };
    Some(visible(&text, false) + "\n")
}

/// Lists the files that keep what hosts printed in a run.
pub(super) fn logs(logs: &Logs, records: &[Record]) -> String {
    let Some(Record::Begun(head)) = records.first() else { return String::new() };
    let files = logs.of(&head.run).into_iter().enumerate();
    files.map(|(at, file)| format!("{}{}\n", if at == 0 { "\nlogs  " } else { "      " }, file.display())).collect()
}

/// Returns the fleets and the hosts that a run worked on, or ended with.
fn concerned<'a>(records: &'a [Record], tail: Option<&'a JournalTail>) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let (mut fleets, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        if let Record::Fleet(fleet) = record {
            fleets.insert(&*fleet.name);
        }
        if let Record::Effect { host, things, .. } = record {
            hosts.extend(host.as_deref());
            fleets.extend(things.iter().filter_map(|thing| Some(thing.rsplit_once(' ')?.1.split_once('/')?.0)));
        }
    }
    hosts.extend(tail.iter().flat_map(|tail| &tail.table).map(|row| &*row.host));
    (fleets, hosts)
}

/// An effect that ended.
struct Done<'a> {
    took: u64,
    host: &'a str,
    what: String,
    failed: Option<&'a str>,
}

impl Done<'_> {
    /// Returns how long it took, where, what it was, and why it failed.
    fn line(&self, whole: bool) -> String {
        let why = self.failed.filter(|_| whole).map(|why| why.lines().next().unwrap_or_default());
        let failed = why.map(|why| format!("  failed: {why}")).unwrap_or_default();
        visible(&format!("{:>8} ms  {:<12}  {}{failed}", self.took, self.host, self.what), false) + "\n"
    }
}

/// Returns the effects that ended, in that order.
fn done<'a>(records: &'a [Record], names: &CommitNames) -> Vec<Done<'a>> {
    let mut asked: HashMap<(&Name, u32), (&str, &str)> = HashMap::new();
    let mut done = Vec::new();
    for record in records {
        let (lane, number, took, ended) = match record {
            Record::Effect { lane, number, text, host, .. } => {
                asked.insert((lane, *number), (text, host.as_deref().unwrap_or_default()));
                continue;
            }
            Record::Answered { lane, number, took, outcome, .. } => (lane, number, took, Ok(sent(outcome.get()))),
            Record::Failed { lane, number, took, failure, .. } => (lane, number, took, Err(&*failure.message)),
            _ => continue,
        };
        if let Some((what, host)) = asked.get(&(lane, *number)) {
            let what = names.told(what) + ended.as_ref().map_or("", String::as_str);
            done.push(Done { took: *took, host, what, failed: ended.err() });
        }
    }
    done
}

/// Returns what was sent to a host, if an outcome tells it.
fn sent(outcome: &str) -> String {
    serde_json::from_str::<Sent>(outcome).map(|sent| format!(", {sent}")).unwrap_or_default()
}

/// Returns how long each step took, in the order in which they ended.
fn steps(records: &[Record]) -> String {
    let line = |record: &Record| {
        let Record::Step { step, host, took, failed, .. } = record else { return None };
        let failed = if *failed { "  failed" } else { "" };
        let host = host.as_deref().unwrap_or_default();
        Some(visible(&format!("{:>11}  {host:<12}  {step}{failed}", duration::took(*took)), false) + "\n")
    };
    titled("steps", records.iter().filter_map(line).collect())
}

/// Returns how long the run worked on each host.
fn hosts(done: &[Done]) -> String {
    let mut hosts: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for done in done.iter().filter(|done| !done.host.is_empty()) {
        let (took, count) = hosts.entry(done.host).or_default();
        (*took, *count) = (*took + done.took, *count + 1);
    }
    let line = |(host, (took, count)): (&str, (u64, usize))| {
        let effects = if count == 1 { "effect" } else { "effects" };
        visible(&format!("{:>11}  {host:<12}  {count} {effects}", duration::took(took)), false) + "\n"
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn effect(lane: &str, number: u32, host: Value, text: &str, things: &[&str]) -> Value {
        json!({ "effect": { "lane": lane, "number": number, "name": "exec", "kind": "once", "host": host, "text": text,
            "recorded": {}, "things": things } })
    }

    fn came_back(lane: &str, number: u32, took: u64) -> Value {
        json!({ "answered": { "lane": lane, "number": number, "took": took, "outcome": null } })
    }

    fn records() -> Vec<Value> {
        let failure =
            json!({ "reason": "failed", "message": "no\nsuch file", "help": null, "host": null, "status": 1 });
        vec![
            json!({ "begun": { "v": 1, "run": "019ab5a1f20-0a1b2c", "line": "prod deploy:stable", "flags": ["--force"],
                "typed": [], "who": "ci", "on_behalf_of": "berta", "from": "laptop", "since": "2026-11-24T23:05:00Z",
                "fabfile": "/shop/fabfile.rhai", "digest": "f00d" } }),
            effect("", 1, Value::Null, "resolve stable", &[]),
            came_back("", 1, 40),
            effect("each/web2", 1, json!("web2"), "drain", &["admin prod/web2"]),
            effect("each/web1", 1, json!("web1"), "drain", &["admin prod/web1"]),
            came_back("each/web2", 1, 61_000),
            came_back("each/web1", 1, 900),
            effect("each/web1", 2, json!("web1"), "run `x`", &["exec prod/web1"]),
            json!({ "failed": { "lane": "each/web1", "number": 2, "took": 1_100, "failure": failure } }),
            effect("each/web1", 3, json!("web1"), "print \x1b[2J", &["exec prod/web1"]),
            came_back("each/web1", 3, 7),
            effect("each/web1", 4, json!("web1"), "activate 0002-31422108d2df", &["admin prod/web1"]),
            came_back("each/web1", 4, 20),
            json!({ "step": { "lane": "each/web1", "step": "swap", "host": "web1", "took": 2_020, "failed": false } }),
            json!({ "step": { "lane": "", "step": "roll", "host": null, "took": 62_000, "failed": true } }),
            effect("each/web2", 2, json!("web2"), "restart shop", &["restart prod/web2"]),
            json!({ "ended": { "exit": 1, "took": 63_000, "journal": 12, "commit": "31422108d2df", "name": "v3.0.1", "table": [
                { "host": "web3", "old": null, "new": "0002-31422108d2df", "new_name": "v3.0.1", "balancer": "live",
                  "result": "untouched", "note": null } ] } }),
        ]
    }

    fn shown(records: &[Value]) -> String {
        let records: Vec<Record> = records.iter().map(|r| serde_json::from_str(&r.to_string()).unwrap()).collect();
        text(&records, Palette { color: false })
    }

    #[test]
    fn a_run_is_this_text() {
        assert_eq!(
            shown(&records()),
            "\
run      019ab5a1f20-0a1b2c
line     rfab prod deploy:stable
flags    --force
by       ci on behalf of berta, from laptop, at 2026-11-24T23:05:00Z
fabfile  /shop/fabfile.rhai (sha256 f00d)
fleets   prod
hosts    web1, web2, web3
release  v3.0.1 (31422108d2df)

      40 ms                resolve stable
   61000 ms  web2          drain
     900 ms  web1          drain
    1100 ms  web1          run `x`  failed: no
       7 ms  web1          print ␛[2J
      20 ms  web1          activate v3.0.1 (0002-31422108d2df)

steps
      2.0 s  web1          swap
       62 s                roll  failed

time on each host
      2.0 s  web1          4 effects
       61 s  web2          1 effect

slowest
   61000 ms  web2          drain
    1100 ms  web1          run `x`
     900 ms  web1          drain
      40 ms                resolve stable
      20 ms  web1          activate v3.0.1 (0002-31422108d2df)

ended with exit code 1 after 63000 ms, 12 ms of it for the journal

host  old  new                         balancer  result
web3  -    v3.0.1 (0002-31422108d2df)  live      untouched
1 host: 1 untouched
"
        );
    }

    #[test]
    fn what_was_sent_stands_beside_the_release() {
        let end = |number: u32, outcome: Value| json!({ "answered": { "lane": "l", "number": number, "took": 800, "outcome": outcome } });
        let records = [
            records().swap_remove(0),
            effect("l", 1, json!("web1"), "stage 0007-9ab0c1d2e3f4", &[]),
            end(1, json!({ "sent_bytes": 5501, "upon": "0006-1f3c5a7b9d0e" })),
            effect("l", 2, json!("web1"), "stage 0008-9ab0c1d2e3f5", &[]),
            end(2, json!({ "sent_bytes": 1_000_000 })),
            effect("l", 3, json!("web1"), "stage 0008-9ab0c1d2e3f5", &[]),
            end(3, Value::Null),
        ];
        let text = shown(&records);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("  stage ")).take(3).collect();
        assert_eq!(
            lines,
            [
                "     800 ms  web1          stage 0007-9ab0c1d2e3f4, 6 kB sent, the rest is from 0006-1f3c5a7b9d0e",
                "     800 ms  web1          stage 0008-9ab0c1d2e3f5, 1000 kB sent",
                "     800 ms  web1          stage 0008-9ab0c1d2e3f5",
            ]
        );
    }

    #[test]
    fn a_run_that_died_at_once_has_no_times_and_no_table() {
        assert_eq!(
            shown(&records()[..1]),
            "\
run      019ab5a1f20-0a1b2c
line     rfab prod deploy:stable
flags    --force
by       ci on behalf of berta, from laptop, at 2026-11-24T23:05:00Z
fabfile  /shop/fabfile.rhai (sha256 f00d)

it hasn't ended
"
        );
    }
}
