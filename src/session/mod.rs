//! The one door and its layers.
mod events;
pub mod faults;
mod guard;
mod invariants;
mod journal;
mod ledger;
mod proof;
mod tally;

pub use faults::{Fault, Faults};
pub use proof::{out_with_its_group, taken_out};
pub use tally::{Tally, Told};

use crate::{
    effect::{Answered, Ask, Call, Door, Fleets, Lane},
    event::Listener,
    host::Name,
    store::{Journal, Past},
    world::World,
};
use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, Ordering::Relaxed},
};

/// What is known of a run from its start.
#[derive(Clone, Debug)]
pub struct Run {
    /// Time-ordered.
    pub id: Name,
    /// The command line's normal form.
    pub line: String,
    /// The flags that belong to it when it is typed again.
    pub flags: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// RFC 3339.
    pub since: String,
    /// Fleets that were said yes to on the command line; `None` is a bare `--yes`.
    pub yes: Option<Option<String>>,
    pub wait: bool,
    pub force: bool,
    /// Pools that may lose their last live server.
    pub allow_outage: Vec<String>,
    /// The most lanes that run side by side.
    pub parallel: usize,
    /// How many lines it has for ledgers so far.
    pub lines: Arc<AtomicU32>,
}

/// A run: its layers, outermost first, around one world.
pub struct Session {
    pub run: Arc<Run>,
    pub fleets: Arc<Fleets>,
    pub tally: Arc<Tally>,
    layers: Vec<Box<dyn Layer>>,
    world: Arc<dyn World>,
    listener: Arc<dyn Listener>,
    stopped: Arc<Stop>,
}

/// Whether the operator wants the run to end, and by which signal.
#[derive(Default)]
pub struct Stop(AtomicU8);

impl Stop {
    pub fn by(&self, signal: u8) {
        self.0.store(signal, Relaxed);
    }

    /// The signal, once there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.0.load(Relaxed)).filter(|s| *s != 0)
    }
}

/// A layer on the door.
pub trait Layer: Send + Sync {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered;
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
        journal: Option<(Arc<Journal>, Past)>,
    ) -> Arc<Session> {
        let (run, tally) = (Arc::new(run), Arc::new(Tally::default()));
        let lawless = faults.lawless() && world.name() == "simulated";
        let invariants = invariants::Invariants::new(run.clone(), fleets.clone(), tally.clone());
        let layers: Vec<Option<Box<dyn Layer>>> = vec![
            Some(Box::new(events::Events { stopped: stopped.clone() })),
            Some(Box::new(tally.clone())),
            journal.map(|(journal, past)| {
                Box::new(journal::Journaled::new(journal, past, fleets.clone())) as Box<dyn Layer>
            }),
            Some(Box::new(guard::Guard::new(run.clone(), fleets.clone(), tally.clone()))),
            if lawless { None } else { Some(Box::new(invariants)) },
            Some(Box::new(ledger::Ledger::new(run.clone(), fleets.clone(), tally.clone()))),
            Some(Box::new(faults)),
        ];
        let layers = layers.into_iter().flatten().collect();
        Arc::new(Session { run, fleets, tally, layers, world, listener, stopped })
    }

    /// The lane of the tasks.
    pub fn lane(self: &Arc<Self>) -> Arc<Lane> {
        Lane::first(self.clone(), self.world.begins())
    }

    pub fn stopped(&self) -> Option<u8> {
        self.stopped.signal()
    }
}

impl Door for Session {
    fn pass(&self, call: Call<'_>) -> Answered {
        Rest { layers: &self.layers, world: &*self.world }.pass(call)
    }

    fn world(&self) -> &dyn World {
        &*self.world
    }

    fn listener(&self) -> &dyn Listener {
        &*self.listener
    }

    fn run(&self) -> &Name {
        &self.run.id
    }
}
