//! Determines what a failed or dead attempt leaves to the next one.
use super::{
    Fate, PastEffect,
    lanes::{Lanes, below, depth, first, parent},
};
use crate::{
    effect::EffectKind,
    failure::{Failure, Origin, Reason},
    host::Name,
};
use std::collections::HashMap;

/// How each lane ended, with the record's place in the journal; a lane that is missing here was cut off.
pub(super) type LaneEnds = HashMap<Name, (usize, Option<Failure>)>;

/// Follows a failure to its origin, which is retried; forgets what was done because of the failure.
///
/// What a lane that didn't end well has read since its last change is read again.
pub(super) fn rewind(lanes: &mut Lanes, ends: &mut LaneEnds, forgotten: &mut Vec<(Name, PastEffect)>, lane: &str) {
    let end = ends.get(lane).cloned();
    let origin = match &end {
        Some((_, None)) => return,
        Some((_, Some(failure))) => origin(lanes, ends, lane, failure).map(|failed| {
            forgotten.extend(forget_after(lanes, lane, &failed));
            failed.number
        }),
        None => highest(lanes, lane),
    };
    if let Some(number) = origin {
        match lanes.get_mut(lane).and_then(|own| own.get_mut(&number)) {
            Some(known) if end.is_some() => known.fate = Fate::TriedAgain,
            Some(_) => {}
            None => children(lanes, lane, number).iter().for_each(|child| rewind(lanes, ends, forgotten, child)),
        }
    }
    read_afresh(lanes, ends, lane);
}

/// Marks effects with a lost connection as open, unless the script handled the failure and continued.
pub(super) fn lost(lanes: &mut Lanes) {
    let unknown = |known: &PastEffect| matches!(&known.end, Some(Err(failure)) if failure.reason() == Reason::Unknown);
    let all = lanes.iter().flat_map(|(lane, own)| own.iter().map(move |(number, known)| (lane, *number, known)));
    let over = |lane: &str, number: u32, end: usize| {
        lanes.iter().any(|(other, effects)| {
            let own = **other == *lane;
            let fork = below(lane, other).is_some_and(|fork| fork > number);
            effects.iter().any(|(n, later)| (own && *n > number || fork) && later.place > end)
        })
    };
    let tried = |known: &PastEffect| known.fate == Fate::TriedAgain;
    let found: Vec<(Name, u32)> = all
        .filter(|(lane, number, known)| unknown(known) && (tried(known) || !over(lane, *number, known.end_place)))
        .map(|(lane, number, _)| (lane.clone(), number))
        .collect();
    for (lane, number) in found {
        if let Some(known) = lanes.get_mut(&lane).and_then(|own| own.get_mut(&number)) {
            known.end = None;
            known.fate = if tried(known) { Fate::Kept } else { known.fate };
        }
    }
}

/// Returns where a lane's failure came from: an effect, or a fork that ended with the failure of the same effect.
///
/// A failure that a script throws itself has no origin: then it is the last thing that failed, unless a command that
/// may not be repeated came after it. The same holds for a journal of rfab 0.1.0, which doesn't record origins.
fn origin(lanes: &Lanes, ends: &LaneEnds, lane: &str, failure: &Failure) -> Option<Failed> {
    let mut all: Vec<Failed> = Vec::new();
    for (number, known) in lanes.get(lane).into_iter().flatten() {
        if let Some(Err(_)) = known.end {
            let origin = Some(Origin { lane: lane.into(), number: *number });
            all.push(Failed { number: *number, place: known.end_place, origin });
        }
    }
    for (other, (place, failure)) in ends {
        let fork = below(lane, other).filter(|_| parent(other) == lane);
        let failed = fork.zip(failure.as_ref());
        all.extend(failed.map(|(number, failure)| Failed { number, place: *place, origin: failure.origin.clone() }));
    }
    all.sort_by_key(|failed| (failed.number, failed.place));
    let same = |failed: &Failed| failed.origin.is_some() && failed.origin == failure.origin;
    let at = all.iter().rposition(same).or_else(|| {
        let last = all.last()?;
        once_from(lanes, lane, last.number + 1).is_none().then(|| all.len() - 1)
    });
    at.map(|at| all.swap_remove(at))
}

/// An effect or a fork of a lane that failed.
struct Failed {
    number: u32,
    place: usize,
    origin: Option<Origin>,
}

/// Returns the latest effect or fork of a lane.
fn highest(lanes: &Lanes, lane: &str) -> Option<u32> {
    let own = lanes.get(lane).and_then(|own| own.keys().next_back().copied());
    own.max(lanes.keys().filter_map(|other| below(lane, other)).max())
}

/// Forgets what was done after a failure; what an earlier attempt had already done stays.
///
/// Returns the forgotten commands that may not be repeated and that may have been done.
fn forget_after(lanes: &mut Lanes, lane: &str, failed: &Failed) -> Vec<(Name, PastEffect)> {
    let mut gone = Vec::new();
    for (other, effects) in lanes.iter_mut() {
        let (own, fork) = (**other == *lane, below(lane, other));
        let behind = |n: u32| if own { n > failed.number } else { fork.is_some_and(|fork| fork > failed.number) };
        gone.extend(effects.extract_if(.., |n, known| behind(*n) && known.place > failed.place));
    }
    lanes.retain(|_, effects| !effects.is_empty());
    let once = gone.into_iter().map(|(_, known)| known).filter(|k| k.kind == EffectKind::Once && k.may_be_done());
    once.map(|known| (lane.into(), known)).collect()
}

/// Returns the lanes that a fork made.
fn children(lanes: &Lanes, lane: &str, number: u32) -> Vec<Name> {
    let depth = depth(lane) + 1;
    let below = lanes.keys().filter(|other| below(lane, other) == Some(number));
    let mut children: Vec<Name> = below.map(|other| Name::from(first(other, depth))).collect();
    children.dedup();
    children
}

fn read_afresh(lanes: &mut Lanes, ends: &mut LaneEnds, lane: &str) {
    let changes = |known: &PastEffect| matches!(known.kind, EffectKind::Change | EffectKind::Once);
    let own = lanes.get(lane).into_iter().flatten().filter(|(_, known)| changes(known)).map(|(n, _)| *n);
    let forks = lanes.iter().filter(|(_, effects)| effects.values().any(changes));
    let last = own.chain(forks.filter_map(|(other, _)| below(lane, other))).max();
    let after = |number: u32| last.is_none_or(|last| number > last);
    ends.retain(|other, _| !below(lane, other).is_some_and(after));
    for (other, effects) in lanes.iter_mut() {
        let (own, fork) = (**other == *lane, below(lane, other));
        for (number, known) in effects {
            if (own && after(*number)) || fork.is_some_and(after) {
                known.fate = Fate::Afresh;
            }
        }
    }
}

/// Returns the first command from an effect on that may not be repeated and that may have been done.
pub(super) fn once_from<'a>(lanes: &'a Lanes, lane: &str, number: u32) -> Option<&'a PastEffect> {
    let done = |known: &&PastEffect| known.kind == EffectKind::Once && known.may_be_done();
    let own = lanes.get(lane).into_iter().flat_map(|own| own.range(number..)).map(|(_, known)| known);
    let forks = lanes.iter().filter(|(other, _)| below(lane, other).is_some_and(|fork| fork >= number));
    own.chain(forks.flat_map(|(_, effects)| effects.values())).find(done)
}
