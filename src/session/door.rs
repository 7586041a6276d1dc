//! The one door for all effects: a run's layers around a world.
use super::{
    Faults, InnerLayers, Journaling, Layer, Observed, Run, Stop,
    events::Events,
    guard::Guard,
    invariants::Invariants,
    journal::Journaled,
    ledger::Ledger,
    masked::{Learns, Masked},
};
use crate::{
    effect::{Answered, Call, Door, Fleets, Lane, World},
    event::Listener,
    failure::Failure,
    fleet::Fleet,
    host::Name,
    secret::Masks,
};
use std::sync::Arc;

/// A run: its layers, outermost first, around one world.
pub struct Session {
    pub run: Arc<Run>,
    pub fleets: Arc<Fleets>,
    pub observed: Arc<Observed>,
    /// Whether the run can be resumed or aborted from its journal.
    pub journaled: bool,
    /// Whether an earlier attempt changed something, or may have.
    pub changed_before: bool,
    /// Whether an earlier attempt did something that may be done only once.
    pub once_before: bool,
    layers: Vec<Box<dyn Layer>>,
    world: Arc<dyn World>,
    listener: Arc<dyn Listener>,
    stopped: Arc<Stop>,
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
        let listener = Arc::new(Masked { masks: run.masks.clone(), then: listener });
        let journal = journal.map(|keep| Journaling { key: keep.key.knowing(run.masks.clone()), ..keep });
        let changed_before = journal.as_ref().is_some_and(|keep| keep.past.changed);
        let touched = journal.as_ref().map(|keep| keep.past.changed_fleets()).unwrap_or_default();
        let once_before = journal.as_ref().is_some_and(|keep| keep.past.once);
        let lawless = faults.lawless() && world.name() == "simulated";
        let invariants = Invariants::new(run.clone(), fleets.clone(), observed.clone(), stopped.clone());
        let layers: Vec<Option<Box<dyn Layer>>> = vec![
            Some(Box::new(Events {
                stopped: stopped.clone(),
                run: run.clone(),
                observed: observed.clone(),
                changed_before,
            })),
            Some(Box::new(observed.clone())),
            Some(Box::new(Learns(run.masks.clone()))),
            journal.map(|keep| {
                let (fleets, masks) = (fleets.clone(), run.masks.clone());
                Box::new(Journaled::new(keep, fleets, masks, stopped.clone())) as Box<dyn Layer>
            }),
            Some(Box::new(Guard::new(run.clone(), fleets.clone(), observed.clone(), touched, !lawless))),
            if lawless { None } else { Some(Box::new(invariants)) },
            Some(Box::new(Ledger::new(run.clone(), fleets.clone(), observed.clone()))),
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

    /// Makes the lane of the tasks.
    pub fn lane(self: &Arc<Self>) -> Arc<Lane> {
        Lane::first(self.clone(), self.world.begins())
    }

    /// Adds a fleet to the run, the world and the layers.
    pub fn admit(&self, fleet: Fleet) -> Result<Arc<Fleet>, Failure> {
        let fleet = Arc::new(fleet);
        // A fleet that the world refuses isn't added to the run.
        self.world.admit(&fleet)?;
        if let Some(known) = self.fleets.known(&fleet)? {
            return Ok(known);
        }
        self.run.masks.spare(fleet.names());
        self.layers.iter().try_for_each(|layer| layer.admit(&fleet))?;
        Ok(self.fleets.keep(fleet))
    }

    /// Returns whether this run changed anything, in any attempt.
    pub fn changed(&self) -> bool {
        self.changed_before || self.observed.changed()
    }

    pub fn stopped(&self) -> Option<u8> {
        self.stopped.signal()
    }

    /// Marks that nothing is changed from here on.
    pub fn closes(&self) {
        self.stopped.close();
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
        InnerLayers::all(&self.layers, &*self.world).pass(call)
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
