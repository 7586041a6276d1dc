//! A line's tasks, from left to right.
use super::{
    beginning::begin,
    closing::{EndedRun, close},
    connecting::{HostWork, connect},
};
use crate::{
    command::Command,
    event::EventKind,
    fabfile::Project,
    fan_out,
    line::{CommandLine, TaskCall},
    remote::{Capture, Exec},
    script::{Here, Invocation, Located, TaskValue, current_targets, hand_over},
    session::Session,
};
use std::sync::Arc;

/// Runs a line's tasks from left to right, stops at the first failure, and reports the closing table.
pub fn run(project: &Project, line: &CommandLine, read_only: bool, session: &Arc<Session>) -> EndedRun {
    let here = begin(project, session, line.to_string());
    let single = line.command.is_some() && line.calls.len() <= 1 && line.calls.iter().all(|call| call.names_hosts);
    let result = tasks(&here, project, line, read_only, single).map_err(|located| perhaps_a_task(line, located));
    here.lane.end(result.as_ref().err().map(|l| &l.failure));
    close(&here, result.err().as_slice(), single)
}

/// Calls the tasks, and runs the command, which is the `single` thing on each host if a task only names hosts.
fn tasks(
    here: &Here,
    project: &Project,
    line: &CommandLine,
    read_only: bool,
    single: bool,
) -> Result<(), Box<Located>> {
    let last = line.calls.len();
    for (i, call) in line.calls.iter().enumerate() {
        let alone = i + 1 == last && line.command.is_none();
        let changes = || line.calls[i + 1..].iter().any(|later| project.asks_for_lock(&later.function));
        task(here, call, (!alone).then(|| HostWork { changes: changes(), single }))?;
    }
    match &line.command {
        Some(command) => ad_hoc(here, command, read_only, single),
        None => Ok(()),
    }
}

/// Adds to the failure that a refused argument may have been meant as a task.
fn perhaps_a_task(line: &CommandLine, mut located: Box<Located>) -> Box<Located> {
    let failure = &mut located.failure;
    let refused = line.misread.iter().find(|misread| failure.about.as_ref() == Some(&misread.word));
    if let Some(misread) = refused {
        let known = failure.help.take().map(|help| format!("\n{help}")).unwrap_or_default();
        failure.help = Some(format!("{}{known}", misread.help()));
    }
    located
}

/// Calls a task. If it names hosts and there is `work` for them, it connects to them.
fn task(here: &Here, call: &TaskCall, work: Option<HostWork>) -> Result<(), Box<Located>> {
    let began = here.lane.world().now(&here.lane);
    here.lane.tell(EventKind::TaskStarted { task: call.to_string() });
    let inside = Here { lane: here.lane.inner(&call.task), defers: Arc::default(), ..here.clone() };
    let options = call.takes_options.then(|| call.options.clone());
    let invocation = Invocation { function: call.function.clone(), arguments: call.arguments.clone(), options };
    let result = here.script.call(&inside, &invocation).map_err(|e| here.located(&e)).and_then(|value| match value {
        TaskValue::Targets(targets) if call.names_hosts => {
            hand_over(&inside, &targets).map_err(|e| here.located(&e))?;
            if let Some(work) = work {
                connect(&inside, work).map_err(Located::plain)?;
            }
            Ok(())
        }
        _ => Ok(()),
    });
    here.lane.advance(inside.lane.clock());
    let took = here.lane.world().now(&here.lane).saturating_sub(began);
    let failure = result.as_ref().err().map(|l| l.failure.clone());
    inside.lane.end(failure.as_ref());
    here.lane.tell(EventKind::TaskFinished { task: call.to_string(), took, failure });
    result
}

/// Runs a command on the targets in parallel; it counts as a change unless `read_only` is set.
fn ad_hoc(here: &Here, command: &Command, read_only: bool, single: bool) -> Result<(), Box<Located>> {
    let targets = current_targets(here).map_err(|e| here.located(&e))?;
    connect(here, HostWork { changes: !read_only, single }).map_err(Located::plain)?;
    let (command, state, observed) = (command.clone(), targets.fleet.state.clone(), here.session.observed.clone());
    let results = fan_out::over(here, &targets.hosts, move |lane, host| {
        let (on, command) = (host.clone().into(), command.clone());
        if read_only {
            lane.perform(Capture { on, command, any_status: false, shown: true })?;
            observed.answered(host);
            Ok(())
        } else {
            let state = state.clone();
            lane.perform(Exec { on, command, any_status: false, state }).map(drop)
        }
    });
    results.into_iter().collect::<Result<_, _>>().map_err(Located::plain)
}
