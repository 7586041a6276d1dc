//! Aborts a run: its hosts return to the state that they had before it.
use super::{
    beginning::begin,
    closing::{EndedRun, close},
    connecting::{HostWork, connect},
};
use crate::{
    api,
    event::EventKind,
    fabfile::Project,
    failure::Failure,
    fleet::Fleet,
    port::Traced,
    remote::{ReadTrace, trace},
    script::{Here, Located, Targets, hand_over},
    session::{Before, EVERY, InFlight, STILL, Session},
    store::Record,
    ui::Wait,
};
use std::sync::Arc;

/// Undoes what the run of this journal did, and reports the closing table.
pub fn abort(project: &Project, records: &[Record], session: &Arc<Session>) -> EndedRun {
    let here = begin(project, session, session.run.line.clone());
    let before = Before::of(records);
    // A problem with one fleet doesn't keep the others from being undone.
    let failed: Vec<_> = before.fleets.values().filter_map(|fleet| back(&here, &before, fleet).err()).collect();
    here.lane.end(failed.first().map(|l| &l.failure));
    close(&here, &failed, false)
}

fn back(here: &Here, before: &Before, fleet: &Arc<Fleet>) -> Result<(), Box<Located>> {
    let changed = before.changed(fleet);
    if changed.is_empty() {
        let text = format!("the run didn't change any host of {}", fleet.name);
        here.lane.tell(EventKind::Noted { host: None, text });
        return Ok(());
    }
    let fleet = here.session.admit((**fleet).clone()).map_err(Located::plain)?;
    here.script.meter.is_about(fleet.hosts.len());
    let hosts = changed.iter().map(|(host, _)| host.clone()).collect();
    let targets =
        Targets { fleet: fleet.clone(), hosts: Arc::new(hosts), selection: "what the run changed".to_owned() };
    let inside = Here { lane: here.lane.inner("abort"), defers: Arc::default(), ..here.clone() };
    let done = || {
        hand_over(&inside, &targets).map_err(|e| here.located(&e))?;
        connect(&inside, HostWork { changes: true, single: false }).map_err(Located::plain)?;
        for left in before.in_flight.iter().filter(|left| left.host.fleet == fleet.name) {
            awaited(&inside, &fleet, left).map_err(Located::plain)?;
        }
        api::abort(&inside, &fleet, &changed).map_err(|e| here.located(&e))
    };
    let result = done();
    inside.lane.end(result.as_ref().err().map(|l| &l.failure));
    here.lane.advance(inside.lane.clock());
    result
}

/// Waits until what the run left on a host ends: nothing is undone beside it.
fn awaited(here: &Here, fleet: &Fleet, left: &InFlight) -> Result<(), Failure> {
    let Some(run) = &here.session.run.undoes else { return Ok(()) };
    let call = trace(&fleet.state, &fleet.name, run, left.id());
    for waited in 0..STILL / EVERY {
        let read = ReadTrace::of(left.host.clone(), call.clone(), run, left.id());
        match here.lane.perform(read) {
            Ok(Traced::Running) => {}
            // If the host can't be asked, the effect that changes it fails with the reason.
            _ => return Ok(()),
        }
        if waited == 0 {
            let text = format!("it's still running; rfab waits for it to end: {}", left.text);
            here.lane.tell(EventKind::Noted { host: Some(left.host.name.clone()), text });
        }
        here.lane.perform(Wait { time: EVERY })?;
    }
    let message = format!("it's still running there: {}", left.text);
    Err(Failure::unknown(message).on(&left.host.name).help("wait until it ends, or end it there; then abort again"))
}
