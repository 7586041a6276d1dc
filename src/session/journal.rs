//! What came through the door, and what came of it; a resumed run is handed back what it did before.
use super::{
    Layer, Rest, Stop,
    lane_tail::LaneTails,
    unknown_outcome::{UnknownOutcome, Why},
};
use crate::{
    balancer::AcquireLock,
    effect::{Answer, Answered, Call, Fleets, Kind, Lane, Record as Effect, Seen, Subject, Touch},
    event::What,
    failure::{Cause, Failure, Reason},
    fleet::{Fleet, differences},
    ledger::Conclude,
    local::ReadHosts,
    release::{ConcludeOnHost, ReadBook},
    secret::{Key, Masks},
    store::{Fate, Journal, Past, PastEffect, Record},
    ui::Wait,
};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

/// What a run is written down in, and how it goes on with what is there already.
pub struct Journaling {
    pub journal: Arc<Journal>,
    pub past: Past,
    /// What secrets are sealed with.
    pub key: Key,
    pub doubt: UnknownOutcome,
    /// Whether a fleet may be another than the run began with.
    pub force_changed: bool,
}

impl Journaling {
    /// What an earlier attempt did is handed back; in doubt the person is asked.
    pub fn new(journal: Journal, past: Past, key: Key) -> Self {
        Self { journal: Arc::new(journal), past, key, doubt: UnknownOutcome::Ask, force_changed: false }
    }
}

/// The layer, which a run in the made-up world may do without.
pub struct Journaled {
    keep: Journaling,
    fleets: Arc<Fleets>,
    masks: Masks,
    stopped: Arc<Stop>,
    /// Where something did not hold any more: what was read from there on is stale.
    stale: LaneTails,
    /// What is not handed back, for the script went another way.
    left: LaneTails,
    /// Whether the operator died (simulated): the dead write nothing.
    dead: AtomicBool,
}

/// The longest that a command which an earlier attempt left on a host is waited for, and how often it is looked at; in
/// milliseconds.
pub const STILL: u64 = 15 * 60_000;
pub const EVERY: u64 = 1_000;

type Looked = Result<Seen<Box<dyn Answer>>, Failure>;

impl Journaled {
    pub fn new(keep: Journaling, fleets: Arc<Fleets>, masks: Masks, stopped: Arc<Stop>) -> Self {
        let (stale, left) = (LaneTails::default(), LaneTails::default());
        Self { keep, fleets, masks, stopped, stale, left, dead: AtomicBool::new(false) }
    }

    /// Whether an effect is the one that was recorded; a text that has a secret in it is compared by its digest, also if
    /// the secret became known only after it.
    fn is(&self, known: &PastEffect, effect: &dyn Effect) -> bool {
        let key = &self.keep.key;
        let sealed = || serde_json::from_str(known.recorded.get()).map(|recorded| key.seal(recorded).to_string());
        let now = effect.recorded(key);
        known.name == effect.name()
            && (known.recorded.get() == now.get() || sealed().is_ok_and(|sealed| sealed == now.get()))
    }

    /// Has it done, and writes down before and after.
    fn perform(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        self.begins(call)?;
        let began = rest.world().now(call.lane);
        let answered = rest.pass(call);
        self.ended(call, rest.world().now(call.lane).saturating_sub(began), &answered);
        answered
    }

    /// The same for what this run has no record of at this place; a command that it did, and forgot because of a
    /// failure before it, is not done once more unasked.
    fn perform_anew(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let effect = call.effect;
        if effect.kind() != Kind::Once || self.keep.past.forgotten.is_empty() {
            return self.perform(call, rest);
        }
        let Some(done) = self.keep.past.forgotten(&call.lane.path, |known| self.is(known, effect)) else {
            return self.perform(call, rest);
        };
        let why = if done.end.is_some() { Why::DoneBefore } else { Why::Unknown };
        let Some(assumed) = self.keep.doubt.decide(why, call, rest)? else { return self.perform(call, rest) };
        self.begins(call)?;
        let outcome = match &done.end {
            Some(Ok(outcome)) if !done.masked => effect.answer(outcome)?,
            _ => assumed,
        };
        self.taken_for_done(call, outcome)
    }

    /// Writes down that it is about to be done.
    fn begins(&self, call: Call<'_>) -> Result<(), Failure> {
        let effect = call.effect;
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
        };
        // What only reads may go on without a journal; a change may not.
        self.write(&begun, changes(effect)).or_else(|e| if changes(effect) { Err(unwritten(&e)) } else { Ok(()) })
    }

    fn ended(&self, call: Call<'_>, took: u64, answered: &Answered) {
        let (lane, number) = (call.lane.path.clone(), call.number);
        let ended = match answered {
            // A hold is taken anew by each attempt, and what a person answered may be a password.
            Ok(_) if call.effect.kind() == Kind::Hold => {
                Record::Answered { lane, number, took, outcome: ().json(), masked: false }
            }
            Ok(outcome) => {
                let (outcome, masked) = self.masked(call.effect, outcome.json());
                Record::Answered { lane, number, took, outcome, masked }
            }
            // Nobody knows how it ended: it stays in flight.
            Err(failure) if matches!(failure.reason(), Reason::Killed | Reason::Interrupted) => return,
            Err(failure) => Record::Failed { lane, number, took, failure: self.without_secrets(failure) },
        };
        // If it cannot be written the next change finds that out; this one was made.
        let _ = self.write(&ended, changes(call.effect));
    }

    /// An outcome as it is kept, and whether a secret stood in it.
    ///
    /// What would be none any more without it was a word of rfab's own, such as the state of a server.
    fn masked(&self, effect: &dyn Effect, outcome: Box<RawValue>) -> (Box<RawValue>, bool) {
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

    fn without_secrets(&self, failure: &Failure) -> Failure {
        let mut failure = failure.clone();
        failure.mask(&self.masks);
        failure
    }

    fn write(&self, record: &Record, durable: bool) -> io::Result<()> {
        self.keep.journal.write(record, durable)
    }

    /// Hands back what was done before, unless the world says otherwise.
    fn replay(&self, known: &PastEffect, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let (effect, lane, number) = (call.effect, &call.lane.path, call.number);
        if effect.kind() == Kind::Hold {
            return self.perform(call, rest);
        }
        let same = self.is(known, effect);
        let stale = known.stale || self.stale.covers(lane, number);
        // What a name in a repository means is settled once a run, and so is which hosts an inventory names.
        let settled = matches!(effect.subject(), Subject::Repository(_)) || effect.as_any().is::<ReadHosts>();
        let pinned = same && settled;
        if known.fate == Fate::Afresh && !(pinned && matches!(known.end, Some(Ok(_)))) {
            return self.perform_anew(call, rest);
        }
        if !same {
            if !stale || self.keep.past.once_from(lane, number).is_some() {
                return Err(diverged(known, effect));
            }
            self.left.begin(lane, number);
            let _ = self.write(&Record::Left { lane: lane.clone(), number }, false);
            return self.perform_anew(call, rest);
        }
        if known.fate == Fate::TriedAgain {
            return self.perform(call, rest);
        }
        match (&known.end, effect.kind()) {
            (Some(Ok(_)), Kind::Read) if known.masked && pinned => Err(not_kept(effect)),
            (Some(Ok(_)), Kind::Read) if (stale && !pinned) || known.masked => self.perform(call, rest),
            (Some(Ok(outcome)), Kind::Change) if known.last => match self.look(known, call, rest)? {
                Seen::Not | Seen::Running => {
                    self.stale.begin(lane, number);
                    let _ = self.write(&Record::Stale { lane: lane.clone(), number }, false);
                    self.perform(call, rest)
                }
                Seen::Done(outcome) if known.masked => Ok(outcome),
                // What changes a thing to what it is may be repeated; what it answered is needed.
                Seen::Cannot if known.masked => self.perform(call, rest),
                Seen::Done(_) | Seen::Cannot => effect.answer(outcome),
            },
            (Some(Ok(_)), _) if known.masked => match self.keep.doubt.decide(Why::Masked, call, rest)? {
                Some(outcome) => self.taken_for_done(call, outcome),
                None => self.perform(call, rest),
            },
            (Some(Ok(outcome)), _) => effect.answer(outcome),
            (Some(Err(failure)), _) => Err(failure.clone()),
            (None, Kind::Read) => self.perform(call, rest),
            (None, kind) => match self.wait_and_look(known, call, rest) {
                // It came to its end, and did not work: as any failure that ended its lane it is tried again.
                Err(failure) if failure.status.is_some() => self.perform(call, rest),
                Err(failure) => Err(failure),
                Ok(seen) => self.settle(seen, kind, call, rest),
            },
        }
    }

    /// Makes of what was in flight what was seen of it.
    fn settle(&self, seen: Seen<Box<dyn Answer>>, kind: Kind, call: Call<'_>, rest: Rest<'_>) -> Answered {
        match seen {
            Seen::Done(outcome) => {
                self.conclude(call, rest)?;
                self.taken_for_done(call, outcome)
            }
            Seen::Running => Err(still_runs(call.effect)),
            Seen::Cannot if kind == Kind::Once => match self.keep.doubt.decide(Why::Unknown, call, rest)? {
                Some(outcome) => self.taken_for_done(call, outcome),
                None => self.perform(call, rest),
            },
            Seen::Not | Seen::Cannot => self.perform(call, rest),
        }
    }

    /// Writes down in the ledgers that it is done: who made the change may have died before that.
    fn conclude(&self, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        let (effect, run) = (call.effect, rest.ask(&call).run().clone());
        let touch = effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return Ok(()) };
        let word = effect.story().word.unwrap_or(effect.name()).to_owned();
        match touch {
            Touch::Admin { hosts, .. } => {
                let hosts = hosts.to_vec();
                rest.pass(Call { effect: &Conclude { fleet, hosts, run, word }, ..call })?;
            }
            Touch::Served { host } if fleet.app.as_ref().is_some_and(|app| app.is_on(host)) => {
                let of = ReadBook::of(&fleet, host)?;
                rest.pass(Call { effect: &ConcludeOnHost { of, run, word }, ..call })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn taken_for_done(&self, call: Call<'_>, outcome: Box<dyn Answer>) -> Answered {
        let answered = Ok(outcome);
        self.ended(call, 0, &answered);
        answered
    }

    /// Looks whether it was done, under the fleet's lock.
    fn look(&self, known: &PastEffect, call: Call<'_>, rest: Rest<'_>) -> Looked {
        if let Some(fleet) = call.effect.touch().fleet() {
            rest.pass(Call { effect: &AcquireLock { fleet: self.fleets.get(fleet) }, ..call })?;
        }
        // Under the identity that it had.
        let call = Call { attempt: known.attempt, ..call };
        call.effect.look(rest.ask(&call))
    }

    /// The same; what still runs is waited for.
    fn wait_and_look(&self, known: &PastEffect, call: Call<'_>, rest: Rest<'_>) -> Looked {
        for waited in 0..STILL / EVERY {
            let seen = self.look(known, call, rest)?;
            if !matches!(seen, Seen::Running) || self.stopped.signal().is_some() {
                return Ok(seen);
            }
            if waited == 0 {
                let text = format!("it's still running; rfab waits for it to end: {}", call.effect.describe());
                call.lane.tell(What::Noted { host: call.effect.subject().host().cloned(), text });
            }
            rest.ask(&call).read(Wait { time: EVERY })?;
        }
        Ok(Seen::Running)
    }
}

impl Layer for Journaled {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        if self.dead.load(SeqCst) {
            return Err(Failure::new(Cause::Killed, "killed before this"));
        }
        let known = self.keep.past.find(&call.lane.path, call.number);
        let answered = match known.filter(|_| !self.left.covers(&call.lane.path, call.number)) {
            Some(known) => self.replay(known, call, rest),
            None => self.perform_anew(call, rest),
        };
        if answered.as_ref().is_err_and(|failure| failure.reason() == Reason::Killed) {
            self.dead.store(true, SeqCst);
        }
        answered
    }

    fn admit(&self, fleet: &Fleet) -> Result<(), Failure> {
        match self.keep.past.fleet(&fleet.name) {
            Some(known) if known == fleet => return Ok(()),
            Some(known) if !self.keep.force_changed => return Err(changed(known, fleet)),
            _ => {}
        }
        // What comes later is not believed without it.
        self.write(&Record::Fleet(Box::new(fleet.clone())), false).map_err(|e| unwritten(&e))
    }

    fn ended(&self, lane: &Lane, failure: Option<&Failure>) {
        if self.dead.load(SeqCst) || lane.is_of_attempt() {
            return;
        }
        let failure = failure.map(|failure| Failure { places: Vec::new(), ..self.without_secrets(failure) });
        let _ = self.write(&Record::LaneEnded { lane: lane.path.clone(), failure }, false);
    }
}

fn changes(effect: &dyn Effect) -> bool {
    matches!(effect.kind(), Kind::Change | Kind::Once)
}

/// What an effect changes, by name: the servers of hosts as one kind of thing, and each file, whoever changes them.
fn things(effect: &dyn Effect) -> Vec<String> {
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

fn unwritten(e: &io::Error) -> Failure {
    Failure::failed(format!("this run's journal can't be written any more: {e}"))
        .help("nothing more is changed; make room for it, then continue with `rfab --resume`")
}

fn changed(known: &Fleet, fleet: &Fleet) -> Failure {
    let differs = differences(known, fleet).join("; ");
    let message = format!("fleet `{}` isn't what the run started with: {differs}", fleet.name);
    Failure::new(Cause::Fabfile, message)
        .help("put it back as it was, or continue with it as it is now: `--force-changed`")
}

fn parsed(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).expect("it was written as JSON")
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value is plain data")
}

fn not_kept(effect: &dyn Effect) -> Failure {
    Failure::new(
        Cause::Fabfile,
        format!("what this run was told isn't kept, because it contained a secret: {}", effect.describe()),
    )
    .help("type the line again instead")
}

fn diverged(known: &PastEffect, effect: &dyn Effect) -> Failure {
    let (did, asks) = (&known.text, effect.describe());
    if *did == asks {
        let message = format!("this run did `{did}` with different values than the script has now");
        return Failure::new(Cause::Fabfile, message)
            .help("a secret, or a text that was read, has changed: type the line again instead");
    }
    Failure::new(Cause::Fabfile, format!("this run did `{did}` where the script now asks for `{asks}`"))
        .help("a run can only be resumed with what it started with: type the line again instead")
}

fn still_runs(effect: &dyn Effect) -> Failure {
    Failure::unknown(format!("it's still running on the host: {}", effect.describe()))
        .help("wait until it ends, then resume again")
}
