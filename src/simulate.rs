//! A run in the made-up world: what tests run lines, faults and resumed runs in.
use crate::{
    effect::Fleets,
    event::{Event, Listener},
    fabfile::Project,
    line::CommandLine,
    model::Model,
    run::{self, EndedRun},
    session::{Allowances, ConsentFlag, Fault, Faults, Journaling, Run, Session, Stop},
    store::Record,
    ui::Pausing,
    world::{STACK, simulated::Simulated},
};
use std::{
    sync::{Arc, Mutex},
    thread,
};

/// The parameters of a simulated run, and what goes wrong in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenario {
    /// Decides between lanes with equal clocks.
    pub seed: u64,
    pub fault: Option<Fault>,
    pub force: bool,
    pub unproven: bool,
    pub pause: Option<Pausing>,
    pub without_balancer: Option<&'static str>,
    pub without_gate: Option<&'static str>,
}

/// A simulated run that is over.
pub struct Simulation {
    pub ended: EndedRun,
    pub model: Model,
    pub events: Vec<Event>,
    /// How many effects reached the door.
    pub effects: u32,
}

/// Keeps every event.
#[derive(Default)]
pub struct KeptEvents(Mutex<Vec<Event>>);

impl Listener for KeptEvents {
    fn tell(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Runs a line on a model; the returned model is for the next run.
pub fn simulate(project: &Project, line: &CommandLine, mut model: Model, wish: Scenario) -> Simulation {
    model.runs += 1;
    simulate_attempt(project, line, model, wish, None)
}

/// Runs a line as the model's last run, with a journal and the records of earlier attempts.
pub fn simulate_attempt(
    project: &Project,
    line: &CommandLine,
    model: Model,
    wish: Scenario,
    journal: Option<Journaling>,
) -> Simulation {
    let run = Run { naming: line.naming(), ..facts(project, &model, line.to_string(), wish) };
    carried_out(run, model, wish, journal, |session| run::run(project, line, false, session))
}

/// Undoes what a run did, by its journal.
pub fn simulate_abort(
    project: &Project,
    run: &str,
    records: &[Record],
    mut model: Model,
    wish: Scenario,
) -> Simulation {
    model.runs += 1;
    simulate_abort_attempt(project, run, records, model, wish, None)
}

/// The same under the number of the model's last run, with a journal and what earlier attempts wrote into it.
pub fn simulate_abort_attempt(
    project: &Project,
    run: &str,
    records: &[Record],
    model: Model,
    wish: Scenario,
    journal: Option<Journaling>,
) -> Simulation {
    let facts = Run { undoes: Some(run.into()), ..facts(project, &model, format!("--abort {run}"), wish) };
    carried_out(facts, model, wish, journal, |session| run::abort(project, records, session))
}

fn facts(project: &Project, model: &Model, line: String, wish: Scenario) -> Run {
    Run {
        id: format!("sim-{}", model.runs).into(),
        line,
        folder: project.script.folder.clone(),
        who: "tester".into(),
        from: "simulator".into(),
        since: "1970-01-01T00:00:00Z".into(),
        allowed: Allowances {
            yes: ConsentFlag::Unnamed,
            force: wish.force,
            unproven: wish.unproven,
            pause: wish.pause,
            without_balancer: wish.without_balancer.map(str::to_owned).into_iter().collect(),
            without_gate: wish.without_gate.map(str::to_owned),
            ..Allowances::default()
        },
        parallel: 32,
        ..Run::default()
    }
}

fn carried_out(
    run: Run,
    mut model: Model,
    wish: Scenario,
    journal: Option<Journaling>,
    work: impl FnOnce(&Arc<Session>) -> EndedRun + Send,
) -> Simulation {
    model.states.values_mut().for_each(|state| state.read_anew());
    let world = Arc::new(Simulated::new(model, wish.seed));
    let (kept, stop) = (Arc::new(KeptEvents::default()), Arc::new(Stop::default()));
    let faults = wish.fault.map(|fault| Faults::of(fault, stop.clone())).unwrap_or_default();
    let past = journal.as_ref().map(|keep| (keep.past.attempts, keep.past.passed()));
    let (attempt, passed) = past.unwrap_or_default();
    let run = Run { attempt, passed, ..run };
    let (fleets, listener) = (Arc::new(Fleets::default()), kept.clone());
    let session = Session::new(run, fleets, world.clone(), listener, faults.clone(), stop, journal);
    let ended = thread::scope(|scope| {
        let running = thread::Builder::new().name("tasks".into()).stack_size(STACK);
        let running = running.spawn_scoped(scope, || work(&session)).expect("a thread can be started");
        running.join().expect("a run doesn't panic")
    });
    let mut model = world.model.lock().unwrap().clone();
    model.hang_up();
    let events = std::mem::take(&mut *kept.0.lock().unwrap());
    Simulation { ended, model, events, effects: faults.count() }
}
