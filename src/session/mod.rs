//! The one door and its layers.
mod allowances;
mod before;
mod drill;
mod events;
pub mod faults;
mod forgotten;
mod guard;
mod invariants;
mod journal;
mod lane_tail;
mod ledger;
mod masked;
mod names;
mod observed;
mod ours;
mod proof;
mod settled;
mod unfinished;
mod unknown_outcome;

pub use allowances::{Allowances, Yes};
pub use before::{Before, InFlight, Was};
pub use drill::Drill;
pub use faults::{Fault, Faults};
pub use forgotten::{forgotten, in_again, tell_forgotten};
pub use journal::{EVERY, Journaling, STILL};
pub use names::Names;
pub use observed::{HostState, Moves, Observed};
pub use ours::{Out, taken_out};
pub use settled::{Reader, settled};
pub use unfinished::tell as tell_unfinished;
pub use unknown_outcome::UnknownOutcome;

use crate::{
    effect::{Answered, Ask, Call, Door, Fleets, Lane},
    event::Listener,
    failure::Failure,
    fleet::Fleet,
    host::Name,
    secret::Masks,
    world::World,
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed},
    },
};

/// What is known of a run from its start.
#[derive(Clone, Debug)]
pub struct Run {
    /// Time-ordered.
    pub id: Name,
    /// Which attempt at it this is; the first is 0.
    pub attempt: u32,
    /// The run that this one gives up.
    pub undoes: Option<Name>,
    /// The command line's normal form.
    pub line: String,
    /// The words of the line that name hosts; none where the default task does.
    pub naming: String,
    /// The folder that its fabfile lies in.
    pub folder: PathBuf,
    /// The flags that belong to it when it is typed again.
    pub flags: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// RFC 3339.
    pub since: String,
    pub allowed: Allowances,
    /// The most lanes that run side by side.
    pub parallel: usize,
    /// How many lines it has for ledgers so far.
    pub lines: Arc<AtomicU32>,
    /// What it knows that nobody may see.
    pub masks: Masks,
}

/// A run: its layers, outermost first, around one world.
pub struct Session {
    pub run: Arc<Run>,
    pub fleets: Arc<Fleets>,
    pub observed: Arc<Observed>,
    /// Whether it can be gone on with, or taken back, from its journal.
    pub journaled: bool,
    /// Whether an earlier attempt changed something, or may have.
    pub changed_before: bool,
    /// Whether one of them did what may be done only once.
    pub once_before: bool,
    layers: Vec<Box<dyn Layer>>,
    world: Arc<dyn World>,
    listener: Arc<dyn Listener>,
    stopped: Arc<Stop>,
}

/// Whether the operator wants the run to end, and by which signal.
#[derive(Default)]
pub struct Stop {
    signal: AtomicU8,
    closing: AtomicBool,
}

impl Stop {
    pub fn by(&self, signal: u8) {
        self.signal.store(signal, Relaxed);
    }

    /// The signal, once there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Relaxed)).filter(|s| *s != 0)
    }

    /// Whether only how all stands is still read, which is not stopped.
    pub fn closing(&self) -> bool {
        self.closing.load(Relaxed)
    }
}

/// A layer on the door.
pub trait Layer: Send + Sync {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered;

    /// A fleet becomes known to the run; what a layer refuses is no fleet of it.
    fn admit(&self, _fleet: &Fleet) -> Result<(), Failure> {
        Ok(())
    }

    /// A lane has come to its end.
    fn ended(&self, _lane: &Lane, _failure: Option<&Failure>) {}
}

/// The layers further in, and the world.
#[derive(Clone, Copy)]
pub struct Rest<'a> {
    layers: &'a [Box<dyn Layer>],
    world: &'a dyn World,
}

impl<'a> Rest<'a> {
    pub fn pass(self, call: Call<'_>) -> Answered {
        match self.layers.split_first() {
            Some((first, layers)) => first.pass(call, Rest { layers, ..self }),
            None => self.world.perform(call),
        }
    }

    /// A layer's own reads: straight from the world, without a number.
    pub fn ask<'b>(&'b self, call: &'b Call<'b>) -> Ask<'b> {
        Ask::of(self.world, call)
    }

    pub fn world(&self) -> &'a dyn World {
        self.world
    }
}

impl Session {
    /// Puts the layers around a world.
    pub fn new(
        run: Run,
        fleets: Arc<Fleets>,
        world: Arc<dyn World>,
        listener: Arc<dyn Listener>,
        faults: Faults,
        stopped: Arc<Stop>,
        journal: Option<Journaling>,
    ) -> Arc<Session> {
        let (run, observed, journaled) = (Arc::new(run), Arc::new(Observed::default()), journal.is_some());
        run.masks.spare(["ready", "drain", "maint"]);
        let listener = Arc::new(masked::Masked { masks: run.masks.clone(), then: listener });
        let journal = journal.map(|keep| Journaling { key: keep.key.knowing(run.masks.clone()), ..keep });
        let changed_before = journal.as_ref().is_some_and(|keep| keep.past.changed);
        let touched = journal.as_ref().map(|keep| keep.past.changed_fleets()).unwrap_or_default();
        let once_before = journal.as_ref().is_some_and(|keep| keep.past.once);
        let lawless = faults.lawless() && world.name() == "simulated";
        let invariants = invariants::Invariants::new(run.clone(), fleets.clone(), observed.clone(), stopped.clone());
        let layers: Vec<Option<Box<dyn Layer>>> = vec![
            Some(Box::new(events::Events {
                stopped: stopped.clone(),
                run: run.clone(),
                observed: observed.clone(),
                changed_before,
            })),
            Some(Box::new(observed.clone())),
            Some(Box::new(masked::Learns(run.masks.clone()))),
            journal.map(|keep| {
                let (fleets, masks) = (fleets.clone(), run.masks.clone());
                Box::new(journal::Journaled::new(keep, fleets, masks, stopped.clone())) as Box<dyn Layer>
            }),
            Some(Box::new(guard::Guard::new(run.clone(), fleets.clone(), observed.clone(), touched))),
            if lawless { None } else { Some(Box::new(invariants)) },
            Some(Box::new(ledger::Ledger::new(run.clone(), fleets.clone(), observed.clone()))),
            Some(Box::new(faults)),
        ];
        let layers = layers.into_iter().flatten().collect();
        Arc::new(Session {
            run,
            fleets,
            observed,
            journaled,
            changed_before,
            once_before,
            layers,
            world,
            listener,
            stopped,
        })
    }

    /// The lane of the tasks.
    pub fn lane(self: &Arc<Self>) -> Arc<Lane> {
        Lane::first(self.clone(), self.world.begins())
    }

    /// Makes a fleet known to the run, the world and the layers.
    pub fn admit(&self, fleet: Fleet) -> Result<Arc<Fleet>, Failure> {
        let fleet = Arc::new(fleet);
        // What the world refuses is no fleet of the run.
        self.world.admit(&fleet)?;
        if let Some(known) = self.fleets.known(&fleet)? {
            return Ok(known);
        }
        self.run.masks.spare(fleet.names());
        self.layers.iter().try_for_each(|layer| layer.admit(&fleet))?;
        Ok(self.fleets.keep(fleet))
    }

    /// Whether this run changed anything, in whichever attempt.
    pub fn changed(&self) -> bool {
        self.changed_before || self.observed.changed()
    }

    pub fn stopped(&self) -> Option<u8> {
        self.stopped.signal()
    }

    /// From now on nothing is changed any more.
    pub fn closes(&self) {
        self.stopped.closing.store(true, Relaxed);
    }
}

impl Door for Session {
    fn ended(&self, lane: &Lane, failure: Option<&Failure>) {
        self.layers.iter().for_each(|layer| layer.ended(lane, failure));
    }

    fn attempt(&self) -> u32 {
        self.run.attempt
    }

    fn pass(&self, call: Call<'_>) -> Answered {
        Rest { layers: &self.layers, world: &*self.world }.pass(call)
    }

    fn world(&self) -> &dyn World {
        &*self.world
    }

    fn listener(&self) -> &dyn Listener {
        &*self.listener
    }

    fn masks(&self) -> &Masks {
        &self.run.masks
    }

    fn run(&self) -> &Name {
        &self.run.id
    }
}
