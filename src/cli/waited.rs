//! What a run waited for, by its journal.
use crate::{duration, host::Name, port::Spent, store::Record};
use std::collections::HashMap;

/// What each of [`shares`] is, in words.
const WORDS: [&str; 5] =
    ["work on hosts", "waits that the fleet file or the fabfile demands", "the network", "a person", "rfab itself"];

/// Returns a line for everything that the run waited for: how long, and its share of the whole time.
///
/// `took` is how long the last attempt took, if it has ended. Returns nothing for journals of older versions.
pub(super) fn text(records: &[Record], took: Option<u64>) -> String {
    let Some(times) = attempts(records) else { return String::new() };
    let mut shares = [0.0; 5];
    for (at, effects) in times.iter().enumerate() {
        let last = effects.iter().map(TimedEffect::end).max().unwrap_or(0);
        let whole = took.filter(|_| at + 1 == times.len()).unwrap_or(last).max(last);
        add(&mut shares, effects, whole);
    }
    let whole: f64 = shares.iter().sum();
    let line = |(share, words): (&f64, &str)| {
        let time = duration::took(share.round() as u64);
        let percent = 100.0 * share / whole;
        (*share >= 0.5).then(|| format!("{time:>11}  {percent:>3.0} %  {words}\n"))
    };
    shares.iter().zip(WORDS).filter_map(line).collect()
}

/// When an effect began and how long it took, and what of that it spent on what.
struct TimedEffect {
    at: u64,
    took: u64,
    spent: Spent,
}

impl TimedEffect {
    fn end(&self) -> u64 {
        self.at + self.took
    }

    /// Returns which part of its time went to what, in the order of [`WORDS`].
    fn parts(&self) -> [f64; 5] {
        let Spent { hosts, demanded, network, person } = self.spent;
        let rest = self.took.saturating_sub(self.spent.total());
        let all = [hosts, demanded, network, person, rest].map(|time| time as f64);
        let whole: f64 = all.iter().sum();
        all.map(|part| part / whole)
    }
}

/// Returns the effects of each attempt; none if a journal doesn't have their times.
fn attempts(records: &[Record]) -> Option<Vec<Vec<TimedEffect>>> {
    let mut open: HashMap<(&Name, u32), u64> = HashMap::new();
    let mut attempts = vec![Vec::new()];
    for record in records {
        match record {
            Record::Effect { lane, number, at, .. } => drop(open.insert((lane, *number), (*at)?)),
            Record::Answered { lane, number, took, spent, .. } | Record::Failed { lane, number, took, spent, .. } => {
                if let Some(at) = open.remove(&(lane, *number))
                    && let Some(attempt) = attempts.last_mut()
                {
                    attempt.push(TimedEffect { at, took: *took, spent: *spent });
                }
            }
            Record::Resumed(_) => {
                open.clear();
                attempts.push(Vec::new());
            }
            _ => {}
        }
    }
    attempts.iter().any(|effects| !effects.is_empty()).then_some(attempts)
}

/// Adds what an attempt of `whole` milliseconds waited for.
///
/// While several effects are under way at the same time, each counts for its part. While none is, that's rfab itself.
fn add(shares: &mut [f64; 5], effects: &[TimedEffect], whole: u64) {
    let mut turns: Vec<(u64, f64, [f64; 5])> = Vec::new();
    for effect in effects.iter().filter(|effect| effect.took > 0) {
        let parts = effect.parts();
        turns.push((effect.at, 1.0, parts));
        turns.push((effect.end(), -1.0, parts.map(|part| -part)));
    }
    turns.sort_by_key(|(at, ..)| *at);
    let (mut since, mut count, mut now) = (0, 0.0, [0.0; 5]);
    for (at, change, parts) in turns.into_iter().chain([(whole, 0.0, [0.0; 5])]) {
        let time = at.saturating_sub(since) as f64;
        if count > 0.5 {
            shares.iter_mut().zip(now).for_each(|(share, part)| *share += time * part / count);
        } else {
            shares[4] += time;
        }
        (since, count) = (at, count + change);
        now.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn effect(lane: &str, at: Option<u64>) -> Value {
        json!({ "effect": { "lane": lane, "number": 0, "name": "exec", "kind": "once", "host": null, "text": "x",
            "recorded": {}, "things": [], "at": at } })
    }

    fn ended(lane: &str, took: u64, spent: Value) -> Value {
        json!({ "answered": { "lane": lane, "number": 0, "took": took, "spent": spent, "outcome": null } })
    }

    fn shown(records: &[Value], took: Option<u64>) -> String {
        let records: Vec<Record> = records.iter().map(|r| serde_json::from_str(&r.to_string()).unwrap()).collect();
        text(&records, took)
    }

    #[test]
    fn every_moment_of_a_run_counts_once_whatever_is_under_way_at_the_same_time() {
        let records = [
            effect("a", Some(1_000)),
            // Two hosts at the same time, and one of them for longer.
            effect("web1", Some(4_000)),
            effect("web2", Some(4_000)),
            ended("a", 3_000, json!({ "network": 1_000, "person": 2_000 })),
            ended("web1", 2_000, json!({ "hosts": 2_000 })),
            ended("web2", 4_000, json!({ "hosts": 2_000, "demanded": 2_000 })),
        ];
        let text = shown(&records, Some(10_000));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "      2.5 s   25 %  work on hosts",
                "      1.5 s   15 %  waits that the fleet file or the fabfile demands",
                "      1.0 s   10 %  the network",
                "      2.0 s   20 %  a person",
                "      3.0 s   30 %  rfab itself",
            ]
        );
        // It hasn't ended, so nothing is known behind its last effect.
        assert_eq!(shown(&records, None).lines().last().map(|line| &line[..11]), Some("      1.0 s"));
    }

    #[test]
    fn attempts_add_up_and_a_journal_without_times_tells_nothing() {
        let resumed = json!({ "resumed": { "who": "a", "on_behalf_of": null, "from": "b", "since": "2026" } });
        let once = [effect("a", Some(0)), ended("a", 500, json!({ "hosts": 500 }))];
        // The first attempt died in its second effect.
        let twice = [&once[..], &[effect("b", Some(500)), resumed], &once].concat();
        assert_eq!(shown(&twice, Some(500)), "      1.0 s  100 %  work on hosts\n");
        assert_eq!(shown(&[effect("a", None), ended("a", 500, json!({}))], Some(500)), "");
        assert_eq!(shown(&[], Some(500)), "");
    }
}
