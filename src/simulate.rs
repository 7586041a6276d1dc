//! A run in the made-up world: what `--test` and exploration stand on.
use crate::{
    effect::Fleets,
    event::{Event, Listener},
    fabfile::Project,
    line::Line,
    model::Model,
    run::{self, Ended},
    session::{Fault, Faults, Journaling, Run, Session, Stop},
    world::{STACK, simulated::Simulated},
};
use std::{
    sync::{Arc, Mutex},
    thread,
};

/// What is made up, and what goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// Decides between lanes whose clocks are equal.
    pub seed: u64,
    pub fault: Option<Fault>,
    pub force: bool,
}

/// A simulated run, over.
pub struct Simulation {
    pub ended: Ended,
    pub model: Model,
    pub events: Vec<Event>,
    /// How many effects came to the door.
    pub effects: u32,
}

/// Keeps every event.
#[derive(Default)]
pub struct Kept(Mutex<Vec<Event>>);

impl Listener for Kept {
    fn tell(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Runs a line on a model; the model that comes back is the next run's.
pub fn simulate(project: &Project, line: &Line, mut model: Model, wish: Wish) -> Simulation {
    model.runs += 1;
    simulate_attempt(project, line, model, wish, None)
}

/// Runs a line under the number of the model's last run, with a journal and what earlier attempts wrote into it.
pub fn simulate_attempt(
    project: &Project,
    line: &Line,
    model: Model,
    wish: Wish,
    journal: Option<Journaling>,
) -> Simulation {
    let id = format!("sim-{}", model.runs).into();
    let world = Arc::new(Simulated::new(model, wish.seed));
    let (kept, stop) = (Arc::new(Kept::default()), Arc::new(Stop::default()));
    let faults = wish.fault.map(|fault| Faults::of(fault, stop.clone())).unwrap_or_default();
    let facts = Run {
        id,
        attempt: journal.as_ref().map_or(0, |keep| keep.past.attempts),
        line: line.to_string(),
        flags: Vec::new(),
        who: "tester".into(),
        on_behalf_of: None,
        from: "simulator".into(),
        since: "1970-01-01T00:00:00Z".into(),
        yes: Some(None),
        wait: false,
        force: wish.force,
        allow_outage: Vec::new(),
        parallel: 32,
        lines: Arc::default(),
    };
    let session =
        Session::new(facts, Arc::new(Fleets::default()), world.clone(), kept.clone(), faults.clone(), stop, journal);
    let ended = thread::scope(|scope| {
        let task = || run::run(project, line, false, &session);
        let running = thread::Builder::new().name("tasks".into()).stack_size(STACK).spawn_scoped(scope, task);
        running.expect("a thread can be started").join().expect("a run does not panic")
    });
    let mut model = world.model.lock().unwrap().clone();
    model.hang_up();
    let events = std::mem::take(&mut *kept.0.lock().unwrap());
    Simulation { ended, model, events, effects: faults.count() }
}
