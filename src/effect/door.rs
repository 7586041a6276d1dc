//! Effects, the lanes that they come from, the door that they pass, and the world behind it.
//!
//! These types refer to each other, so they are in one file.
use super::{
    Alone, Answered, AnyOutcome, EffectKind, Happened, Id, LaneWork, LedgerDetail, LedgerWrite, Subject, Touch,
};
use crate::{
    event::{Event, EventKind, Listener},
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Model, Predicted, Time},
    port::{LedgerLines, Real, SpentMeter},
    secret::{DigestKey, Masks},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::{
    any::Any,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

/// Something that a script does to the outside.
pub trait Effect: Serialize + Send + Sync {
    type Outcome: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// Its name in journals and ledgers: the primitive's, or what it does in a word or two.
    const NAME: &'static str;
    const KIND: EffectKind;

    fn subject(&self) -> Subject<'_>;

    /// Returns what it changes; invariants, ledger and resume use that.
    fn touch(&self) -> Touch<'_>;

    /// Returns one line for people, such as `drain web1`.
    fn describe(&self) -> String;

    /// Returns what the ledger keeps of it besides its name, host and pool.
    fn ledger_detail(&self) -> LedgerDetail {
        LedgerDetail::default()
    }

    /// Carries it out for real.
    fn carry_out(&self, at: At<'_>) -> impl Future<Output = Result<Self::Outcome, Failure>> + Send;

    /// Carries it out on the model.
    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome>;

    /// Checks whether it was already done, in any world.
    fn look(&self, _ask: Ask<'_>) -> Result<Happened<Self::Outcome>, Failure> {
        Ok(Happened::Cannot)
    }

    /// Returns its outcome if a person says that it was done; `None` if nobody can know the outcome.
    fn assumed(&self) -> Option<Self::Outcome> {
        None
    }

    /// Returns whether it reads the balancers itself, after the last thing that it changes. Otherwise, what was read
    /// before its end doesn't count any more.
    fn reads_back(&self) -> bool {
        false
    }

    /// Puts what a real host answered into the model. Only tests call it, which hold one world against the other.
    fn learn(&self, _outcome: &Self::Outcome, _model: &mut Model) {}
}

/// Where an effect is carried out, and under which id.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub real: &'a Real,
    pub lane: &'a Arc<Lane>,
    pub id: Id<'a>,
    /// What the ledger records with the change.
    pub ledger_writes: &'a [LedgerWrite],
}

impl At<'_> {
    /// Reports something on behalf of the effect.
    pub fn tell(&self, what: EventKind) {
        self.lane.tell(what);
    }

    /// Returns the ledger lines that go where this host's changes are written.
    pub fn ledger_lines(&self) -> Option<LedgerLines> {
        self.ledger_writes.iter().find_map(|write| write.place.is_none().then(|| write.lines.clone()))
    }
}

/// An effect with its type erased.
pub trait AnyEffect: Send + Sync {
    fn name(&self) -> &'static str;
    fn kind(&self) -> EffectKind;
    fn subject(&self) -> Subject<'_>;
    fn touch(&self) -> Touch<'_>;
    fn describe(&self) -> String;
    fn ledger_detail(&self) -> LedgerDetail;
    /// Returns what the journal keeps of it; a secret is a keyed digest there.
    fn recorded(&self, key: &DigestKey) -> Box<RawValue>;
    fn answer(&self, json: &RawValue) -> Answered;
    fn carry_out<'a>(&'a self, at: At<'a>) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;
    fn predict(&self, model: &mut Model) -> Predicted<Box<dyn AnyOutcome>>;
    fn look(&self, ask: Ask<'_>) -> Result<Happened<Box<dyn AnyOutcome>>, Failure>;
    fn assumed(&self) -> Option<Box<dyn AnyOutcome>>;
    fn reads_back(&self) -> bool;
    fn learn(&self, answer: &dyn AnyOutcome, model: &mut Model);
    /// Returns the effect itself, for a layer that knows its type.
    fn as_any(&self) -> &dyn Any;
}

impl<E: Effect + 'static> AnyEffect for E {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn kind(&self) -> EffectKind {
        E::KIND
    }

    fn subject(&self) -> Subject<'_> {
        Effect::subject(self)
    }

    fn touch(&self) -> Touch<'_> {
        Effect::touch(self)
    }

    fn describe(&self) -> String {
        Effect::describe(self)
    }

    fn ledger_detail(&self) -> LedgerDetail {
        Effect::ledger_detail(self)
    }

    fn recorded(&self, key: &DigestKey) -> Box<RawValue> {
        let open = serde_json::to_value(self).expect("an effect is plain data");
        to_raw_value(&key.seal(open)).expect("a value is plain data")
    }

    fn answer(&self, json: &RawValue) -> Answered {
        match serde_json::from_str::<E::Outcome>(json.get()) {
            Ok(outcome) => Ok(Box::new(outcome)),
            Err(e) => Err(Failure::failed(format!("the recorded outcome of `{}` doesn't fit: {e}", E::NAME))),
        }
    }

    fn carry_out<'a>(&'a self, at: At<'a>) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>> {
        Box::pin(async move { Ok(Box::new(Effect::carry_out(self, at).await?) as Box<dyn AnyOutcome>) })
    }

    fn predict(&self, model: &mut Model) -> Predicted<Box<dyn AnyOutcome>> {
        Effect::predict(self, model).map(|o| Box::new(o) as Box<dyn AnyOutcome>)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Box<dyn AnyOutcome>>, Failure> {
        Ok(Effect::look(self, ask)?.map(|o| Box::new(o) as Box<dyn AnyOutcome>))
    }

    fn assumed(&self) -> Option<Box<dyn AnyOutcome>> {
        Effect::assumed(self).map(|o| Box::new(o) as Box<dyn AnyOutcome>)
    }

    fn reads_back(&self) -> bool {
        Effect::reads_back(self)
    }

    fn learn(&self, answer: &dyn AnyOutcome, model: &mut Model) {
        if let Some(outcome) = answer.as_any().downcast_ref() {
            Effect::learn(self, outcome, model);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Where effects happen.
pub trait World: Send + Sync {
    fn name(&self) -> &'static str;

    /// Makes a fleet known, before it is used.
    fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure>;

    fn perform(&self, call: Call<'_>) -> Answered;

    /// Runs the lanes in parallel, at most `at_once` at the same time, and returns when all have ended.
    fn side_by_side(&self, parent: &Arc<Lane>, lanes: Vec<(Arc<Lane>, LaneWork)>, at_once: usize);

    /// Keeps the other lanes of this run away from `what` until the guard is dropped.
    fn alone<'a>(&'a self, call: Call<'a>, what: &str) -> Alone<'a>;

    /// Returns the clock when the run begins.
    fn begins(&self) -> Time {
        0
    }

    /// Returns the milliseconds since the run began, or those on the simulated clock.
    fn now(&self, lane: &Lane) -> Time;
}

/// What every effect passes through on its way to the world.
pub trait Door: Send + Sync {
    fn pass(&self, call: Call<'_>) -> Answered;
    /// Takes note that a lane ended.
    fn ended(&self, lane: &Lane, failure: Option<&Failure>);
    /// Returns which attempt at the run this is; the first is 0.
    fn attempt(&self) -> u32;
    fn world(&self) -> &dyn World;
    fn listener(&self) -> &dyn Listener;
    /// Returns the secrets that the run knows.
    fn masks(&self) -> &Masks;
    fn run(&self) -> &Name;
}

/// One effect on its way through the door.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub lane: &'a Arc<Lane>,
    pub number: u32,
    /// The attempt at the run that it belongs to.
    pub attempt: u32,
    pub effect: &'a dyn AnyEffect,
    /// What the ledger records with the change.
    pub ledger_writes: &'a [LedgerWrite],
}

impl<'a> Call<'a> {
    pub fn id(&self) -> Id<'a> {
        Id { lane: &self.lane.path, number: self.number, attempt: self.attempt }
    }
}

/// The task, or one host's closure within `each`, with its path, counter and clock.
pub struct Lane {
    door: Arc<dyn Door>,
    /// The path of `each` calls and hosts: `4.web1/0.web1`.
    pub path: Name,
    /// The host that the closure runs for; `None` for a task itself.
    pub host: Option<Name>,
    /// Whether it runs `defer`s, which run even though the run was interrupted.
    pub deferred: bool,
    next: AtomicU32,
    /// The number of its next lane that older versions don't have.
    uncounted: AtomicU32,
    clock: AtomicU64,
    /// What its effects spend.
    pub meter: Arc<SpentMeter>,
}

impl Lane {
    pub fn first(door: Arc<dyn Door>, now: Time) -> Arc<Lane> {
        let ([next, uncounted], clock) = ([0, 0].map(AtomicU32::new), AtomicU64::new(now));
        Arc::new(Lane {
            door,
            path: "".into(),
            host: None,
            deferred: false,
            next,
            uncounted,
            clock,
            meter: Arc::default(),
        })
    }

    /// Performs an effect through the run's door.
    ///
    /// Fails with the failure of a layer or of the world.
    pub fn perform<E: Effect + 'static>(self: &Arc<Self>, effect: E) -> Result<E::Outcome, Failure> {
        let (number, attempt) = (self.next.fetch_add(1, Relaxed), self.door.attempt());
        let call = Call { lane: self, number, attempt, effect: &effect, ledger_writes: &[] };
        typed::<E>(self.door.pass(call)).map_err(|failure| failure.of(&self.path, number))
    }

    /// Leaves out numbers that effects took in an older version, so that its journals still fit.
    pub fn leave_out(&self, numbers: usize) {
        self.next.fetch_add(numbers as u32, Relaxed);
    }

    /// Returns a lane for each host, which begins at this moment.
    pub fn fork(&self, hosts: &[Host]) -> Vec<Arc<Lane>> {
        let number = self.next.fetch_add(1, Relaxed);
        let lane = |host: &Host| self.beside(self.below(number, &host.name), Some(host.name.clone()), self.deferred);
        hosts.iter().map(lane).collect()
    }

    /// Returns a lane for a task, which begins at this moment.
    pub fn inner(&self, task: &str) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        self.beside(self.below(number, task), self.host.clone(), self.deferred)
    }

    /// Returns a lane for what each attempt at the run does again, which begins at this moment.
    pub fn of_attempt(&self, name: &str) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        self.beside(format!("{}!", self.below(number, name)), self.host.clone(), self.deferred)
    }

    /// Does the same without a number of this lane, for a step that journals of older versions don't have.
    pub fn uncounted(&self, name: &str) -> Arc<Lane> {
        let number = self.uncounted.fetch_add(1, Relaxed);
        self.beside(format!("{}!{number}.{name}", self.path), self.host.clone(), self.deferred)
    }

    fn below(&self, number: u32, name: &str) -> String {
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{}{slash}{number}.{name}", self.path)
    }

    /// Returns the lane for `defer`s of a scope that succeeded: they are a part of it.
    pub fn closing(&self) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        let own = self.path.rsplit('/').next().and_then(|last| last.split_once('.')).map_or("", |(_, name)| name);
        self.beside(self.below(number, own), self.host.clone(), true)
    }

    /// Returns whether it belongs to one attempt at the run, so that the next one doesn't reuse its outcomes.
    pub fn is_of_attempt(&self) -> bool {
        self.path.contains('!')
    }

    /// Returns the lane for `defer`s if this lane failed; its effects are numbered separately.
    pub fn deferred(&self) -> Arc<Lane> {
        self.beside(format!("{}!", self.path), self.host.clone(), true)
    }

    fn beside(&self, path: String, host: Option<Name>, deferred: bool) -> Arc<Lane> {
        Arc::new(Lane {
            door: self.door.clone(),
            path: path.into(),
            host,
            deferred,
            next: AtomicU32::new(0),
            uncounted: AtomicU32::new(0),
            clock: AtomicU64::new(self.clock.load(Relaxed)),
            meter: Arc::default(),
        })
    }

    /// Reports that this lane has ended, and why if it failed.
    pub fn end(&self, failure: Option<&Failure>) {
        self.door.ended(self, failure);
    }

    /// Reports something to the run's listener.
    pub fn tell(&self, what: EventKind) {
        let event =
            Event { v: 1, at: self.world().now(self), run: self.door.run().clone(), lane: self.path.clone(), what };
        self.door.listener().tell(&event);
    }

    pub fn world(&self) -> &dyn World {
        self.door.world()
    }

    /// Returns the secrets that the run knows.
    pub fn masks(&self) -> &Masks {
        self.door.masks()
    }

    /// Returns the run's id.
    pub fn run(&self) -> &Name {
        self.door.run()
    }

    /// Returns the simulated clock, in milliseconds.
    pub fn clock(&self) -> Time {
        self.clock.load(Relaxed)
    }

    pub fn advance(&self, to: Time) {
        self.clock.fetch_max(to, Relaxed);
    }
}

/// Reads the world for a layer or an effect, without a number, so that a resumed run counts the same.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    world: &'a dyn World,
    call: &'a Call<'a>,
}

impl<'a> Ask<'a> {
    pub fn of(world: &'a dyn World, call: &'a Call<'a>) -> Self {
        Ask { world, call }
    }

    pub fn read<E: Effect + 'static>(&self, effect: E) -> Result<E::Outcome, Failure> {
        const { assert!(matches!(E::KIND, EffectKind::Read)) };
        typed::<E>(self.world.perform(Call { effect: &effect, ledger_writes: &[], ..*self.call }))
    }

    /// Takes something for the run, such as the lock.
    pub fn hold<E: Effect + 'static>(&self, effect: E) -> Result<E::Outcome, Failure> {
        const { assert!(matches!(E::KIND, EffectKind::Hold)) };
        typed::<E>(self.world.perform(Call { effect: &effect, ledger_writes: &[], ..*self.call }))
    }

    pub fn id(&self) -> Id<'_> {
        self.call.id()
    }

    pub fn run(&self) -> &Name {
        self.call.lane.door.run()
    }
}

fn typed<E: Effect>(answered: Answered) -> Result<E::Outcome, Failure> {
    match answered?.any().downcast() {
        Ok(outcome) => Ok(*outcome),
        Err(_) => Err(Failure::failed(format!("a layer answered `{}` with another type", E::NAME))),
    }
}
