//! Hands targets from task to task.
use super::{Here, Invocation, RhaiResultOf, Targets, TaskValue, failure_of, selection::limit, thrown};
use crate::{
    event::EventKind,
    failure::{Cause, Failure},
};
use std::sync::Arc;

/// Returns the targets of the tasks; if no task has named hosts, runs the task in `default_targets`.
pub fn current_targets(here: &Here) -> RhaiResultOf<Targets> {
    if let Some(targets) = here.targets.lock().unwrap().clone() {
        return Ok(targets);
    }
    let Some(default) = here.script.default_targets.clone() else {
        let failure = Failure::new(Cause::Fabfile, "no task named hosts, and the fabfile has no `default_targets`");
        return Err(thrown(
            failure.help("name hosts first, such as `rfab prod …`, or add `const default_targets = \"testing\";`"),
        ));
    };
    let task = Invocation { function: default.clone(), ..Invocation::default() };
    // The default task runs in a separate lane, so that its caller's steps keep their numbers.
    let inside = Here { lane: here.lane.inner(&default), defers: Arc::default(), ..here.clone() };
    let called = here.script.call(&inside, &task);
    inside.lane.end(called.as_ref().err().map(|e| failure_of(e)).as_ref());
    match called? {
        TaskValue::Targets(targets) => {
            hand_over(here, &targets)?;
            Ok(targets)
        }
        _ => {
            let message = format!("`default_targets` names `{default}`, which returns no hosts");
            Err(thrown(Failure::new(Cause::Fabfile, message).help("let it end with `fleet(…)`")))
        }
    }
}

/// Makes hosts the targets of the next tasks, and reports them.
pub fn hand_over(here: &Here, targets: &Targets) -> RhaiResultOf<()> {
    let limited = limit(here, targets).map_err(thrown)?;
    here.lane.tell(EventKind::TargetsChanged {
        fleet: limited.fleet.name.clone(),
        hosts: limited.hosts.iter().map(|h| h.name.clone()).collect(),
        of: limited.fleet.hosts.len(),
        selection: limited.selection.clone(),
    });
    here.session.observed.target(&limited.fleet, &limited.hosts);
    *here.targets.lock().unwrap() = Some(limited);
    Ok(())
}
