//! Lines of effects, one after another, that come to the door.
use super::{Answered, Effect, Kind, Noting, Record};
use crate::{
    effect::World,
    event::{Event, Listener, What},
    failure::Failure,
    host::{Host, Name},
    model::Time,
    secret::Masks,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

/// What every effect passes through.
pub trait Door: Send + Sync {
    fn pass(&self, call: Call<'_>) -> Answered;
    /// A lane has come to its end.
    fn ended(&self, lane: &Lane, failure: Option<&Failure>);
    /// Which attempt at the run this is; the first is 0.
    fn attempt(&self) -> u32;
    fn world(&self) -> &dyn World;
    fn listener(&self) -> &dyn Listener;
    /// What the run knows that nobody may see.
    fn masks(&self) -> &Masks;
    fn run(&self) -> &Name;
}

/// One effect on its way.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub lane: &'a Arc<Lane>,
    pub number: u32,
    /// The attempt at the run that it belongs to.
    pub attempt: u32,
    pub effect: &'a dyn Record,
    /// What the ledger wants written with the change.
    pub notes: &'a [Noting],
}

impl<'a> Call<'a> {
    pub fn id(&self) -> Id<'a> {
        Id { lane: &self.lane.path, number: self.number, attempt: self.attempt }
    }
}

/// Which effect of a run, and in which attempt at it it was begun.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Id<'a> {
    pub lane: &'a str,
    pub number: u32,
    pub attempt: u32,
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.lane, self.number)?;
        if self.attempt > 0 { write!(f, ".{}", self.attempt) } else { Ok(()) }
    }
}

/// The task, or one host's closure within `each`, with its path, counter and clock.
pub struct Lane {
    door: Arc<dyn Door>,
    /// The path of `each` calls and hosts: `4.web1/0.web1`.
    pub path: Name,
    /// The host whose closure it is; none for a task itself.
    pub host: Option<Name>,
    /// Whether it carries `defer`s out: they run although the run was interrupted.
    pub deferred: bool,
    next: AtomicU32,
    clock: AtomicU64,
}

impl Lane {
    pub fn first(door: Arc<dyn Door>, now: Time) -> Arc<Lane> {
        let (next, clock) = (AtomicU32::new(0), AtomicU64::new(now));
        Arc::new(Lane { door, path: "".into(), host: None, deferred: false, next, clock })
    }

    /// The one door.
    ///
    /// Fails with whatever a layer or the world answers.
    pub fn perform<E: Effect + 'static>(self: &Arc<Self>, effect: E) -> Result<E::Outcome, Failure> {
        let (number, attempt) = (self.next.fetch_add(1, Relaxed), self.door.attempt());
        let call = Call { lane: self, number, attempt, effect: &effect, notes: &[] };
        typed::<E>(self.door.pass(call)).map_err(|failure| failure.of(&self.path, number))
    }

    /// A lane for each host, beginning now.
    pub fn fork(&self, hosts: &[Host]) -> Vec<Arc<Lane>> {
        let number = self.next.fetch_add(1, Relaxed);
        let lane = |host: &Host| self.beside(self.below(number, &host.name), Some(host.name.clone()), self.deferred);
        hosts.iter().map(lane).collect()
    }

    /// A lane for a task, beginning now.
    pub fn inner(&self, task: &str) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        self.beside(self.below(number, task), self.host.clone(), self.deferred)
    }

    /// A lane for what each attempt at the run does anew, beginning now.
    pub fn of_attempt(&self, name: &str) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        self.beside(format!("{}!", self.below(number, name)), self.host.clone(), self.deferred)
    }

    fn below(&self, number: u32, name: &str) -> String {
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{}{slash}{number}.{name}", self.path)
    }

    /// Where `defer`s run when what they were made in ended well: they are a part of it.
    pub fn closing(&self) -> Arc<Lane> {
        let number = self.next.fetch_add(1, Relaxed);
        let own = self.path.rsplit('/').next().and_then(|last| last.split_once('.')).map_or("", |(_, name)| name);
        self.beside(self.below(number, own), self.host.clone(), true)
    }

    /// Whether it belongs to one attempt at the run, and is not handed back to the next.
    pub fn is_of_attempt(&self) -> bool {
        self.path.contains('!')
    }

    /// Where this lane's `defer`s run when it failed, on their own numbers.
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
            clock: AtomicU64::new(self.clock.load(Relaxed)),
        })
    }

    /// Says that nothing more comes from this lane, and why if it failed.
    pub fn end(&self, failure: Option<&Failure>) {
        self.door.ended(self, failure);
    }

    /// Tells the run's listeners.
    pub fn tell(&self, what: What) {
        let event =
            Event { v: 1, at: self.world().now(self), run: self.door.run().clone(), lane: self.path.clone(), what };
        self.door.listener().tell(&event);
    }

    pub fn world(&self) -> &dyn World {
        self.door.world()
    }

    /// What the run knows that nobody may see.
    pub fn masks(&self) -> &Masks {
        self.door.masks()
    }

    /// The run's identity.
    pub fn run(&self) -> &Name {
        self.door.run()
    }

    /// The simulated clock, in milliseconds.
    pub fn clock(&self) -> Time {
        self.clock.load(Relaxed)
    }

    pub fn advance(&self, to: Time) {
        self.clock.fetch_max(to, Relaxed);
    }
}

/// Reads the world on behalf of a layer or an effect: without a number, so that a resumed run counts the same.
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
        const { assert!(matches!(E::KIND, Kind::Read)) };
        typed::<E>(self.world.perform(Call { effect: &effect, notes: &[], ..*self.call }))
    }

    /// Takes something for the run, such as the lock.
    pub fn hold<E: Effect + 'static>(&self, effect: E) -> Result<E::Outcome, Failure> {
        const { assert!(matches!(E::KIND, Kind::Hold)) };
        typed::<E>(self.world.perform(Call { effect: &effect, notes: &[], ..*self.call }))
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
