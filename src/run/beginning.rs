//! The beginning of a run.
use crate::{event::EventKind, fabfile::Project, script::Here, session::Session};
use std::sync::{Arc, Mutex};

/// Begins a run, and reports it with its line.
pub(super) fn begin(project: &Project, session: &Arc<Session>, line: String) -> Here {
    let script = project.script.clone();
    script.meter.begin();
    let lane = session.lane();
    let (targets, defers, listeners) = (Arc::new(Mutex::new(None)), Arc::default(), Arc::default());
    let here = Here { script, session: session.clone(), lane: lane.clone(), targets, defers, listeners };
    lane.tell(EventKind::RunStarted { line, who: session.run.who.clone(), world: lane.world().name() });
    here
}
