//! What came through the door, and what came of it; a resumed run is handed back what it did before.
use super::{Layer, Rest};
use crate::{
    balancer::Claim,
    effect::{Answered, Call, Fleets, Kind, Record as Effect, Seen, Touch},
    failure::{Failure, Reason},
    host::Name,
    store::{Journal, Known, Past, Record},
};
use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

/// The layer, which a run in the made-up world may do without.
pub struct Journaled {
    journal: Arc<Journal>,
    past: Past,
    fleets: Arc<Fleets>,
    /// Lanes in which something did not hold any more: what they read before is stale.
    stale: Mutex<BTreeSet<Name>>,
}

impl Journaled {
    pub fn new(journal: Arc<Journal>, past: Past, fleets: Arc<Fleets>) -> Self {
        Self { journal, past, fleets, stale: Mutex::default() }
    }

    /// Has it done, and writes down before and after.
    fn perform(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let (effect, lane, number) = (call.effect, call.lane.path.clone(), call.number);
        let begun = Record::Effect {
            lane: lane.clone(),
            number,
            name: effect.name().to_owned(),
            kind: effect.kind(),
            host: effect.subject().host().cloned(),
            text: effect.describe(),
            recorded: effect.recorded(),
            things: things(effect),
        };
        // What only reads may go on without a journal; a change may not.
        self.write(&begun, changes(effect)).or_else(|e| if changes(effect) { Err(unwritten(&e)) } else { Ok(()) })?;
        let began = rest.world().now(call.lane);
        let answered = rest.pass(call);
        self.ended(call, rest.world().now(call.lane).saturating_sub(began), &answered);
        answered
    }

    fn ended(&self, call: Call<'_>, took: u64, answered: &Answered) {
        let (lane, number) = (call.lane.path.clone(), call.number);
        let ended = match answered {
            Ok(outcome) => Record::Answered { lane, number, took, outcome: outcome.json() },
            // Nobody knows how it ended: it stays in flight.
            Err(failure) if matches!(failure.reason, Reason::Killed | Reason::Interrupted | Reason::Unknown) => return,
            Err(failure) => Record::Failed { lane, number, took, failure: failure.clone() },
        };
        // If it cannot be written the next change finds that out; this one was made.
        let _ = self.write(&ended, changes(call.effect));
    }

    fn write(&self, record: &Record, durable: bool) -> io::Result<()> {
        self.journal.append(&serde_json::to_vec(record).map_err(io::Error::other)?, durable)
    }

    /// Hands back what was done before, unless the world says otherwise.
    fn replay(&self, known: &Known, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let effect = call.effect;
        if effect.kind() == Kind::Hold {
            return self.perform(call, rest);
        }
        if known.name != effect.name() || known.recorded.get() != effect.recorded().get() {
            return Err(diverged(known, effect));
        }
        let stale = || self.stale.lock().unwrap().contains(&call.lane.path);
        match (&known.end, effect.kind()) {
            (Some(Ok(_)), Kind::Read) if stale() => self.perform(call, rest),
            (Some(Ok(outcome)), Kind::Change) if known.last => match self.look(call, rest)? {
                Seen::Not | Seen::Running => {
                    self.stale.lock().unwrap().insert(call.lane.path.clone());
                    self.perform(call, rest)
                }
                Seen::Done(_) | Seen::Cannot => effect.answer(outcome),
            },
            (Some(Ok(outcome)), _) => effect.answer(outcome),
            (Some(Err(failure)), _) => Err(failure.clone()),
            (None, Kind::Read) => self.perform(call, rest),
            (None, kind) => match self.look(call, rest)? {
                Seen::Done(outcome) => {
                    let answered = Ok(outcome);
                    self.ended(call, 0, &answered);
                    answered
                }
                Seen::Running => Err(still_runs(effect)),
                Seen::Cannot if kind == Kind::Once => Err(nobody_knows(effect)),
                Seen::Not | Seen::Cannot => self.perform(call, rest),
            },
        }
    }

    /// Looks whether it was done, under the fleet's lock.
    fn look(&self, call: Call<'_>, rest: Rest<'_>) -> Result<Seen<Box<dyn crate::effect::Answer>>, Failure> {
        if let Some(fleet) = call.effect.touch().fleet() {
            rest.pass(Call { effect: &Claim { fleet: self.fleets.get(fleet) }, ..call })?;
        }
        call.effect.look(rest.ask(&call))
    }
}

impl Layer for Journaled {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        match self.past.find(&call.lane.path, call.number) {
            Some(known) => self.replay(known, call, rest),
            None => self.perform(call, rest),
        }
    }
}

fn changes(effect: &dyn Effect) -> bool {
    matches!(effect.kind(), Kind::Change | Kind::Once)
}

/// What an effect changes, by name: the servers of hosts as one kind of thing, whoever changes them.
fn things(effect: &dyn Effect) -> Vec<String> {
    if !changes(effect) {
        return Vec::new();
    }
    let touch = effect.touch();
    let what = if matches!(touch, Touch::Admin { .. }) { "admin" } else { effect.name() };
    touch.hosts().iter().map(|host| format!("{what} {}/{}", host.fleet, host.name)).collect()
}

fn unwritten(e: &io::Error) -> Failure {
    Failure::failed(format!("this run's journal can no longer be written: {e}"))
        .help("nothing more is changed; make room for it, then type the line again")
}

fn diverged(known: &Known, effect: &dyn Effect) -> Failure {
    let (did, asks) = (&known.text, effect.describe());
    Failure::new(Reason::Fabfile, format!("this run did `{did}` where the script now asks for `{asks}`"))
        .help("a run can only be resumed with what it was begun with: type the line anew instead")
}

fn still_runs(effect: &dyn Effect) -> Failure {
    Failure::unknown(format!("it still runs on the host: {}", effect.describe()))
        .help("wait for its end, then resume again")
}

fn nobody_knows(effect: &dyn Effect) -> Failure {
    Failure::unknown(format!("nobody knows whether this was done: {}", effect.describe()))
        .help("look on the host; then type the line anew instead")
}
