//! What a run did in earlier attempts, for a resumed run.
use super::{
    Fate, PastEffect, Record,
    lanes::{Lanes, below},
    rewind::{LaneEnds, lost, once_from, rewind},
};
use crate::{effect::EffectKind, failure::Failure, fleet::Fleet, host::Name};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The name of the effect that records that a run passed a gate.
pub const PASSED: &str = "pass_gate";

/// What that effect recorded.
#[derive(Deserialize)]
struct PassedRecord {
    commit: String,
    // A journal of an earlier rfab lacks these, so the gate is asked again.
    #[serde(default)]
    branch: String,
    #[serde(default)]
    fleet: String,
}

/// The effects of earlier attempts, by lane and number; empty for a new run.
#[derive(Debug, Default)]
pub struct EarlierAttempts {
    lanes: Lanes,
    /// Reads after the last change, which are read again; they don't count as done.
    read: Lanes,
    /// Commands that may not be repeated and that were done after a failure that is retried, with the lane of the
    /// failure.
    pub forgotten: Vec<(Name, PastEffect)>,
    /// Whether any attempt changed something, or may have.
    pub changed: bool,
    /// Whether any attempt did something that may be done only once, or may have.
    pub once: bool,
    fleets: BTreeMap<Name, Fleet>,
    /// The number of attempts.
    pub attempts: u32,
}

impl EarlierAttempts {
    /// Reads the records of a journal. Leaves out what `defer`s did, which belongs to their attempt.
    pub fn of(records: Vec<Record>) -> EarlierAttempts {
        let (mut past, mut ends) = (EarlierAttempts::default(), LaneEnds::new());
        for (place, record) in records.into_iter().enumerate() {
            match record {
                Record::Effect { lane, number, attempt, name, kind, text, recorded, things, .. }
                    if !lane.contains('!') =>
                {
                    let known = PastEffect {
                        attempt,
                        name,
                        kind,
                        text,
                        recorded,
                        things,
                        place,
                        last: false,
                        end: None,
                        end_place: place,
                        fate: Fate::Kept,
                        masked: false,
                        stale: false,
                    };
                    past.lanes.entry(lane).or_default().insert(number, known);
                }
                Record::Answered { lane, number, outcome, masked, .. } => {
                    past.end(&lane, number, Ok(outcome), place);
                    past.known(&lane, number).into_iter().for_each(|known| known.masked = masked);
                }
                Record::Failed { lane, number, failure, .. } => past.end(&lane, number, Err(failure), place),
                Record::LaneEnded { lane, failure } => drop(ends.insert(lane, (place, failure))),
                Record::Resumed(_) => past.attempt_over(&mut ends),
                Record::Left { lane, number } => past.forget(&lane, number),
                Record::Stale { lane, number } => past.doubt(&mut ends, &lane, number),
                Record::Fleet(fleet) => drop(past.fleets.insert(fleet.name.clone(), *fleet)),
                Record::Begun(_)
                | Record::Effect { .. }
                | Record::Step { .. }
                | Record::Ended(_)
                | Record::Aborted { .. } => {}
            }
        }
        past.attempt_over(&mut ends);
        past.find_last();
        past
    }

    /// Forgets what was done from an effect on, and in the lanes forked there.
    fn forget(&mut self, lane: &Name, number: u32) {
        self.lanes.retain(|other, _| below(lane, other).is_none_or(|fork| fork < number));
        if let Some(own) = self.lanes.get_mut(lane) {
            own.retain(|n, _| *n < number);
        }
    }

    /// Marks everything from an effect on, and in the lanes forked there, as stale; no lane there counts as ended.
    fn doubt(&mut self, ends: &mut LaneEnds, lane: &str, number: u32) {
        for (other, effects) in &mut self.lanes {
            let (own, fork) = (**other == *lane, below(lane, other));
            for (n, known) in effects {
                known.stale |= if own { *n >= number } else { fork.is_some_and(|fork| fork >= number) };
            }
        }
        ends.retain(|other, _| {
            let around = **other == *lane || below(other, lane).is_some();
            !around && below(lane, other).is_none_or(|fork| fork < number)
        });
    }

    fn end(&mut self, lane: &Name, number: u32, end: Result<Box<RawValue>, Failure>, place: usize) {
        if let Some(known) = self.known(lane, number) {
            (known.end, known.end_place, known.masked) = (Some(end), place, false);
        }
    }

    fn known(&mut self, lane: &Name, number: u32) -> Option<&mut PastEffect> {
        self.lanes.get_mut(lane)?.get_mut(&number)
    }

    /// Prepares the past for the next attempt, which sees all earlier attempts as one.
    fn attempt_over(&mut self, ends: &mut LaneEnds) {
        self.attempts += 1;
        self.lanes.values_mut().flat_map(BTreeMap::values_mut).for_each(|known| known.fate = Fate::Kept);
        let mut done = self.lanes.values().flat_map(BTreeMap::values).filter(|known| known.may_be_done()).peekable();
        self.changed |= done.peek().is_some();
        self.once |= done.any(|known| known.kind == EffectKind::Once);
        rewind(&mut self.lanes, ends, &mut self.forgotten, "");
        lost(&mut self.lanes);
        for (lane, effects) in &mut self.lanes {
            let read = effects.extract_if(.., |_, known| known.fate == Fate::Afresh);
            self.read.entry(lane.clone()).or_default().extend(read);
        }
        self.lanes.retain(|_, effects| !effects.is_empty());
        // A lane that failed will end again.
        ends.retain(|_, (_, failure)| failure.is_none());
    }

    /// Finds the last change of each thing.
    fn find_last(&mut self) {
        let mut last: HashMap<&str, usize> = HashMap::new();
        for known in self.lanes.values().flat_map(BTreeMap::values) {
            for thing in &known.things {
                let place = last.entry(thing).or_default();
                *place = known.place.max(*place);
            }
        }
        let last: HashSet<usize> = last.into_values().collect();
        for known in self.lanes.values_mut().flat_map(BTreeMap::values_mut) {
            known.last = last.contains(&known.place);
        }
    }

    /// Returns the commits with which the run passed a gate, each with the branch and the fleet that have the rules.
    pub fn passed(&self) -> BTreeSet<[String; 3]> {
        let all = self.lanes.values().chain(self.read.values()).flat_map(BTreeMap::values);
        let passed = all.filter(|known| known.name == PASSED && matches!(known.end, Some(Ok(_))));
        let read = passed.filter_map(|known| serde_json::from_str::<PassedRecord>(known.recorded.get()).ok());
        read.map(|one| [one.commit, one.branch, one.fleet]).collect()
    }

    pub fn find<'a>(&'a self, lane: &str, number: u32) -> Option<&'a PastEffect> {
        let within = |lanes: &'a Lanes| lanes.get(lane)?.get(&number);
        within(&self.lanes).or_else(|| within(&self.read))
    }

    /// Returns a matching effect that was forgotten because of a failure in this lane or below it.
    pub fn forgotten(&self, lane: &str, same: impl Fn(&PastEffect) -> bool) -> Option<&PastEffect> {
        let there = |of: &str| of == lane || below(of, lane).is_some();
        self.forgotten.iter().find(|(of, known)| there(of) && same(known)).map(|(_, known)| known)
    }

    /// Returns a fleet as the run last recorded it.
    pub fn fleet(&self, name: &Name) -> Option<&Fleet> {
        self.fleets.get(name)
    }

    /// Returns the fleets with hosts that earlier attempts changed, or may have.
    pub fn changed_fleets(&self) -> BTreeSet<Name> {
        let changes =
            self.lanes.values().flat_map(BTreeMap::values).chain(self.forgotten.iter().map(|(_, known)| known));
        let things = changes.filter(|known| known.may_be_done()).flat_map(|known| &known.things);
        // A thing ends with its host, as `FLEET/HOST`.
        let host = |thing: &String| thing.rsplit_once(' ')?.1.rsplit_once('/').map(|(fleet, _)| fleet.into());
        things.filter_map(host).collect()
    }

    /// Returns the first command from an effect on that may not be repeated and that may have been done.
    pub fn once_from(&self, lane: &str, number: u32) -> Option<&PastEffect> {
        once_from(&self.lanes, lane, number)
    }
}
