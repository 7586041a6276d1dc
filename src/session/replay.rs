//! Hands a resumed run the results of what it did before.
use super::{
    InnerLayers, Layer,
    journal::{Journaled, unwritten},
    unknown_outcome::DoubtReason,
};
use crate::{
    balancer::AcquireLock,
    bookkeeping::Conclude,
    effect::{Answered, AnyEffect, AnyOutcome, Call, EffectKind, Happened, Lane, Subject, Touch},
    event::EventKind,
    failure::{Cause, Failure, Reason},
    fleet::{Fleet, differences},
    local::ReadHosts,
    release::{ConcludeOnHost, ReadBook},
    store::{Fate, PastEffect, Record},
    ui::Wait,
};
use std::sync::atomic::Ordering::SeqCst;

/// The longest wait for a command that an earlier attempt left on a host, and the interval between checks; in
/// milliseconds.
pub const STILL: u64 = 15 * 60_000;
pub const EVERY: u64 = 1_000;

type ReplayOutcome = Result<Happened<Box<dyn AnyOutcome>>, Failure>;

impl Layer for Journaled {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
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
        // Without this record, later records wouldn't be trusted.
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

impl Journaled {
    /// Returns whether an effect is the recorded one; a text with a secret is compared by its digest, even if the
    /// secret became known only after the record.
    fn is(&self, known: &PastEffect, effect: &dyn AnyEffect) -> bool {
        let key = &self.keep.key;
        let sealed = || serde_json::from_str(known.recorded.get()).map(|recorded| key.seal(recorded).to_string());
        let now = effect.recorded(key);
        known.name == effect.name()
            && (known.recorded.get() == now.get() || sealed().is_ok_and(|sealed| sealed == now.get()))
    }

    /// Performs an effect that has no record at this place. A command that the run did and forgot, because of a failure
    /// before it, isn't repeated without asking.
    fn perform_anew(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let effect = call.effect;
        if effect.kind() != EffectKind::Once || self.keep.past.forgotten.is_empty() {
            return self.perform(call, rest);
        }
        let Some(done) = self.keep.past.forgotten(&call.lane.path, |known| self.is(known, effect)) else {
            return self.perform(call, rest);
        };
        let why = if done.end.is_some() { DoubtReason::DoneBefore } else { DoubtReason::Unknown };
        let Some(assumed) = self.keep.doubt.decide(why, call, rest)? else { return self.perform(call, rest) };
        self.begins(call, rest)?;
        let outcome = match &done.end {
            Some(Ok(outcome)) if !done.masked => effect.answer(outcome)?,
            _ => assumed,
        };
        self.taken_for_done(call, outcome)
    }

    /// Returns the recorded result, unless the world has changed.
    fn replay(&self, known: &PastEffect, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let (effect, lane, number) = (call.effect, &call.lane.path, call.number);
        if effect.kind() == EffectKind::Hold {
            return self.perform(call, rest);
        }
        let same = self.is(known, effect);
        let stale = known.stale || self.stale.covers(lane, number);
        // The meaning of a name in a repository is fixed for a run, and so are the hosts of an inventory. A message is
        // sent once.
        let settled = matches!(effect.subject(), Subject::Repository(_))
            || effect.as_any().is::<ReadHosts>()
            || effect.kind() == EffectKind::Notice;
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
            (Some(Ok(_)), EffectKind::Read) if known.masked && pinned => Err(not_kept(effect)),
            (Some(Ok(_)), EffectKind::Read) if (stale && !pinned) || known.masked => self.perform(call, rest),
            (Some(Ok(outcome)), EffectKind::Change) if known.last => match self.look(known, call, rest)? {
                Happened::Not | Happened::Running => {
                    self.stale.begin(lane, number);
                    let _ = self.write(&Record::Stale { lane: lane.clone(), number }, false);
                    self.perform(call, rest)
                }
                Happened::Done(outcome) if known.masked => Ok(outcome),
                // A change that leads to the same state may be repeated; its answer is needed.
                Happened::Cannot if known.masked => self.perform(call, rest),
                Happened::Done(_) | Happened::Cannot => effect.answer(outcome),
            },
            (Some(Ok(_)), _) if known.masked => match self.keep.doubt.decide(DoubtReason::Masked, call, rest)? {
                Some(outcome) => self.taken_for_done(call, outcome),
                None => self.perform(call, rest),
            },
            (Some(Ok(outcome)), _) => effect.answer(outcome),
            (Some(Err(failure)), _) => Err(failure.clone()),
            (None, EffectKind::Read) => self.perform(call, rest),
            (None, kind) => match self.wait_and_look(known, call, rest) {
                // It ended with a failure: like any failure that ended its lane, it is tried again.
                Err(failure) if failure.status.is_some() => self.perform(call, rest),
                Err(failure) => Err(failure),
                Ok(seen) => self.settle(seen, kind, call, rest),
            },
        }
    }

    /// Handles an effect that was in flight, by what was seen of it.
    fn settle(
        &self,
        seen: Happened<Box<dyn AnyOutcome>>,
        kind: EffectKind,
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Answered {
        match seen {
            Happened::Done(outcome) => {
                self.conclude(call, rest)?;
                self.taken_for_done(call, outcome)
            }
            Happened::Running => Err(still_runs(call.effect)),
            Happened::Cannot if kind == EffectKind::Once => {
                match self.keep.doubt.decide(DoubtReason::Unknown, call, rest)? {
                    Some(outcome) => self.taken_for_done(call, outcome),
                    None => self.perform(call, rest),
                }
            }
            Happened::Not | Happened::Cannot => self.perform(call, rest),
        }
    }

    /// Records in the ledgers that it is done: the attempt that made the change may have died before that.
    fn conclude(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        let (effect, run) = (call.effect, rest.ask(&call).run().clone());
        let touch = effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return Ok(()) };
        let word = effect.ledger_detail().word.unwrap_or(effect.name()).to_owned();
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

    /// Checks whether an effect was done, under the fleet's lock.
    fn look(&self, known: &PastEffect, call: Call<'_>, rest: InnerLayers<'_>) -> ReplayOutcome {
        if let Some(fleet) = call.effect.touch().fleet() {
            rest.pass(Call { effect: &AcquireLock { fleet: self.fleets.get(fleet) }, ..call })?;
        }
        // With the id that it had.
        let call = Call { attempt: known.attempt, ..call };
        call.effect.look(rest.ask(&call))
    }

    /// Checks whether an effect was done; waits if it is still running.
    fn wait_and_look(&self, known: &PastEffect, call: Call<'_>, rest: InnerLayers<'_>) -> ReplayOutcome {
        for waited in 0..STILL / EVERY {
            let seen = self.look(known, call, rest)?;
            if !matches!(seen, Happened::Running) || self.stopped.signal().is_some() {
                return Ok(seen);
            }
            if waited == 0 {
                let text = format!("it's still running; rfab waits for it to end: {}", call.effect.describe());
                call.lane.tell(EventKind::Noted { host: call.effect.subject().host().cloned(), text });
            }
            rest.ask(&call).read(Wait { time: EVERY })?;
        }
        Ok(Happened::Running)
    }
}

fn not_kept(effect: &dyn AnyEffect) -> Failure {
    Failure::new(
        Cause::Fabfile,
        format!("rfab didn't keep this result, because it contained a secret: {}", effect.describe()),
    )
    .help("type the line again instead")
}

fn diverged(known: &PastEffect, effect: &dyn AnyEffect) -> Failure {
    let (did, asks) = (&known.text, effect.describe());
    if *did == asks {
        let message = format!("this run did `{did}` with other values than the script has now");
        return Failure::new(Cause::Fabfile, message)
            .help("a secret, or text that was read, has changed: type the line again instead");
    }
    Failure::new(Cause::Fabfile, format!("this run did `{did}` where the script now asks for `{asks}`"))
        .help("a resumed run must repeat the steps that it did before: type the line again instead")
}

fn still_runs(effect: &dyn AnyEffect) -> Failure {
    Failure::unknown(format!("it's still running on the host: {}", effect.describe()))
        .help("wait until it ends, then resume again")
}

fn changed(known: &Fleet, fleet: &Fleet) -> Failure {
    let differs = differences(known, fleet).join("; ");
    let message = format!("fleet `{}` has changed since the run started: {differs}", fleet.name);
    Failure::new(Cause::Fabfile, message).help("restore the old file, or continue with the new one: `--force-changed`")
}
