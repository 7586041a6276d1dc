//! Records effects and their results in the run's journal.
use super::{InnerLayers, Stop, lane_tail::LaneTails, unknown_outcome::OnUnknownOutcome};
use crate::{
    effect::{Answered, AnyEffect, AnyOutcome, Call, EffectKind, Fleets, Touch},
    failure::{Failure, Reason},
    secret::{DigestKey, Masks},
    store::{EarlierAttempts, Journal, Record},
};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

/// The journal of a run, and how the run continues with what it contains.
pub struct Journaling {
    pub journal: Arc<Journal>,
    pub past: EarlierAttempts,
    /// The key that seals secrets.
    pub key: DigestKey,
    pub doubt: OnUnknownOutcome,
    /// Whether a fleet may differ from what the run began with.
    pub force_changed: bool,
}

impl Journaling {
    /// Makes a journaling that returns what an earlier attempt did, and asks the person in doubt.
    pub fn new(journal: Journal, past: EarlierAttempts, key: DigestKey) -> Self {
        Self { journal: Arc::new(journal), past, key, doubt: OnUnknownOutcome::Ask, force_changed: false }
    }
}

/// The layer, which a simulated run may lack.
pub(super) struct Journaled {
    pub(super) keep: Journaling,
    pub(super) fleets: Arc<Fleets>,
    pub(super) masks: Masks,
    pub(super) stopped: Arc<Stop>,
    /// Where something had been undone: reads from there on are stale.
    pub(super) stale: LaneTails,
    /// Where the script took another way: nothing is handed back from there on.
    pub(super) left: LaneTails,
    /// Whether the operator died (simulated): then nothing is recorded.
    pub(super) dead: AtomicBool,
}

impl Journaled {
    pub(super) fn new(keep: Journaling, fleets: Arc<Fleets>, masks: Masks, stopped: Arc<Stop>) -> Self {
        let (stale, left) = (LaneTails::default(), LaneTails::default());
        Self { keep, fleets, masks, stopped, stale, left, dead: AtomicBool::new(false) }
    }

    /// Performs an effect, and records its start and end.
    pub(super) fn perform(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        self.begins(call, rest)?;
        let began = rest.world().now(call.lane);
        let answered = rest.pass(call);
        self.ended(call, rest.world().now(call.lane).saturating_sub(began), &answered);
        answered
    }

    /// Records that an effect is about to start.
    pub(super) fn begins(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        let effect = call.effect;
        let _ = call.lane.meter.take();
        let begun = Record::Effect {
            lane: call.lane.path.clone(),
            number: call.number,
            attempt: call.attempt,
            name: effect.name().to_owned(),
            kind: effect.kind(),
            host: effect.subject().host().cloned(),
            text: self.masks.text(&effect.describe()).into_owned(),
            recorded: effect.recorded(&self.keep.key),
            things: things(effect).into_iter().map(|thing| self.keep.key.name(thing)).collect(),
            at: Some(rest.world().now(call.lane).saturating_sub(rest.world().begins())),
        };
        // A read may continue without a journal; a change may not.
        self.write(&begun, changes(effect)).or_else(|e| if changes(effect) { Err(unwritten(&e)) } else { Ok(()) })
    }

    /// Records how an effect ended.
    pub(super) fn ended(&self, call: Call<'_>, took: u64, answered: &Answered) {
        let (lane, number) = (call.lane.path.clone(), call.number);
        let spent = call.lane.meter.take();
        let ended = match answered {
            // Each attempt takes a hold again, and a person's answer may be a password.
            Ok(_) if call.effect.kind() == EffectKind::Hold => {
                Record::Answered { lane, number, took, spent, outcome: ().json(), masked: false }
            }
            Ok(outcome) => {
                let (outcome, masked) = self.masked(call.effect, outcome.json());
                Record::Answered { lane, number, took, spent, outcome, masked }
            }
            // The end is unknown: the effect stays in flight.
            Err(failure) if matches!(failure.reason(), Reason::Killed | Reason::Interrupted) => return,
            Err(failure) => Record::Failed { lane, number, took, spent, failure: self.without_secrets(failure) },
        };
        // If the write fails, the next change will notice; this change is already made.
        let _ = self.write(&ended, changes(call.effect));
    }

    /// Returns an outcome as it is kept, and whether it contained a secret.
    ///
    /// A text without which the outcome can't be read was one of rfab's own words, such as a server's state, and stays.
    fn masked(&self, effect: &dyn AnyEffect, outcome: Box<RawValue>) -> (Box<RawValue>, bool) {
        let whole = if self.masks.is_empty() { Value::Null } else { parsed(&outcome) };
        let (mut kept, mut masked) = (whole.clone(), false);
        for (at, text) in self.masks.within(&whole) {
            let Some(place) = kept.pointer_mut(&at) else { continue };
            *place = Value::String(self.masks.text(text).into_owned());
            if effect.answer(&raw(&kept)).is_ok() {
                masked = true;
            } else if let Some(place) = kept.pointer_mut(&at) {
                *place = Value::String(text.to_owned());
            }
        }
        if masked { (raw(&kept), true) } else { (outcome, false) }
    }

    /// Returns a failure as it is kept.
    pub(super) fn without_secrets(&self, failure: &Failure) -> Failure {
        let mut failure = failure.clone();
        failure.mask(&self.masks);
        failure
    }

    /// Writes a record.
    pub(super) fn write(&self, record: &Record, durable: bool) -> io::Result<()> {
        self.keep.journal.write(record, durable)
    }

    /// Records that an effect is done, though not by this attempt.
    pub(super) fn taken_for_done(&self, call: Call<'_>, outcome: Box<dyn AnyOutcome>) -> Answered {
        let answered = Ok(outcome);
        self.ended(call, 0, &answered);
        answered
    }
}

fn changes(effect: &dyn AnyEffect) -> bool {
    matches!(effect.kind(), EffectKind::Change | EffectKind::Once)
}

/// Names what an effect changes: the servers of hosts as one kind of thing, and each file, for any effect on it.
fn things(effect: &dyn AnyEffect) -> Vec<String> {
    if !changes(effect) {
        return Vec::new();
    }
    let touch = effect.touch();
    let what = match touch {
        Touch::Admin { .. } => "admin".to_owned(),
        Touch::Written { path, .. } => format!("file {path}"),
        _ => effect.name().to_owned(),
    };
    touch.hosts().iter().map(|host| format!("{what} {}/{}", host.fleet, host.name)).collect()
}

/// Makes the failure for a record that can't be written.
pub(super) fn unwritten(e: &io::Error) -> Failure {
    Failure::failed(format!("this run's journal can't be written any more: {e}"))
        .help("nothing more is changed; free some space for it, then continue with `rfab --resume`")
}

fn parsed(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).expect("it was written as JSON")
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value is plain data")
}
