//! Targets, handed from task to task.
use super::{Here, Invocation, RhaiResultOf, Targets, TaskValue, failure_of, selection::limit, thrown};
use crate::{
    event::What,
    failure::{Cause, Failure},
};
use std::sync::Arc;

/// The targets of the tasks; the task that `default_targets` names is run when none named hosts before.
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
    // The default task runs in a lane of its own, so that what calls it counts the same.
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

/// Makes hosts the targets of what follows, says so, and opens the connections to them.
pub fn hand_over(here: &Here, targets: &Targets) -> RhaiResultOf<()> {
    let limited = limit(here, targets).map_err(thrown)?;
    here.lane.tell(What::TargetsChanged {
        fleet: limited.fleet.name.clone(),
        hosts: limited.hosts.iter().map(|h| h.name.clone()).collect(),
        of: limited.fleet.hosts.len(),
        selection: limited.selection.clone(),
    });
    here.session.observed.target(&limited.fleet, &limited.hosts);
    *here.targets.lock().unwrap() = Some(limited);
    Ok(())
}
