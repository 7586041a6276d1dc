//! How a run ends: its locks, its table, and its failures.
use super::{
    exit::exit,
    listening, next,
    shown::shown,
    standings::{TargetPoolStates, table},
    unfit,
};
use crate::{
    balancer::Lock,
    bookkeeping::RecordRun,
    effect::Lane,
    event::{EventKind, HostRow},
    failure::{Exit, Failure},
    fleet::Fleet,
    ledger::Phase,
    port::Holder,
    script::{Here, Located},
    session::{LeftOut, Reader, Session, settled},
};
use std::sync::Arc;

/// How a run ended.
#[derive(Debug)]
pub struct EndedRun {
    pub exit: Exit,
    pub table: Vec<HostRow>,
    pub failures: Vec<Failure>,
}

/// Releases the locks, reads the state of every target, and reports the table.
///
/// `failed` is what stopped the run: nothing, the failure of its task, or one failure for each fleet of an abort. If the
/// run did a `single` thing on each host, it doesn't read their releases.
pub(super) fn close(here: &Here, failed: &[Box<Located>], single: bool) -> EndedRun {
    let (session, lane) = (&here.session, here.lane.deferred());
    session.closes();
    let mut failures: Vec<Failure> = failed.iter().map(|located| shown(here, located)).collect();
    look_again(session, &lane);
    unfit::distrust(session, &lane);
    unfit::out_again(session, &lane);
    session.observed.exposed();
    let TargetPoolStates { mut table, unknown, unread } = table(here, &lane, failed.is_empty(), single);
    if failed.is_empty() {
        failures.extend(tell_unread(session, &lane, unread));
    }
    for (_, host) in session.observed.targets() {
        let Some(failure) = session.observed.host(&host).failure else { continue };
        if !failures.iter().any(|told| told.tells(&failure)) {
            failures.push(failure);
        }
    }
    if session.changed() {
        failures = failures.into_iter().map(Failure::after_changes).collect();
    }
    let exit = exit(session, failed.first().map(|located| &located.failure), &failures, unknown);
    session.fleets.all().into_iter().for_each(|fleet| give_back(session, &lane, fleet, exit));
    let over = failed.is_empty() && session.stopped().is_none();
    let next = next::lines(session, exit, over);
    // The returned table and failures are kept, too.
    table.iter_mut().for_each(|row| row.mask(&session.run.masks));
    failures.iter_mut().for_each(|failure| failure.mask(&session.run.masks));
    listening::end(here, &lane, exit, &failures, &table);
    // The listener that writes the logs fills in their places.
    let took = lane.world().now(&lane).saturating_sub(lane.world().begins());
    let logs = Vec::new();
    lane.tell(EventKind::RunFinished { exit, took, table: table.clone(), next, failures: failures.clone(), logs });
    EndedRun { exit, table, failures }
}

/// Checks the hosts that this run put back once more; one that doesn't serve any more has failed.
fn look_again(session: &Arc<Session>, lane: &Arc<Lane>) {
    for fleet in session.fleets.all() {
        let stopped = || session.stopped().is_some();
        let looked = settled(&fleet, &session.observed, &[], &Reader::Lane(lane), &|| lane.world().now(lane), &stopped);
        // Hosts that were seen to be down are recorded; the state of the others is unknown.
        if looked.is_err() {
            for (host, _) in session.observed.back(&fleet) {
                if session.observed.host(&host).looked.is_none() {
                    let message = "it was put back, but couldn't be checked since";
                    session.observed.failed(&host, &Failure::unknown(message).on(&host.name));
                }
            }
        }
    }
}

/// Records how the run leaves a fleet that it has locked, and releases the lock.
fn give_back(session: &Session, lane: &Arc<Lane>, fleet: Arc<Fleet>, exit: Exit) {
    let phase = match exit {
        _ if !session.changed() => Phase::Failed,
        Exit::Done | Exit::LeftOut => Phase::Ok,
        _ => Phase::Unknown,
    };
    if session.observed.has_lock(&fleet.name) {
        let (typed, line) = (session.run.typed(), session.run.line(phase));
        // Without the record the run counts as not done, which misleads nobody.
        let _ = lane.perform(RecordRun { fleet: fleet.clone(), typed, line });
    }
    // The lock ends with the connection in any case.
    let holder = Holder {
        who: String::new(),
        from: String::new(),
        run: session.run.id.to_string(),
        line: String::new(),
        since: String::new(),
    };
    let _ = lane.perform(Lock { fleet, holder, take: false, wait: false });
}

/// Reports why the state of hosts is unknown; for a run that only shows hosts, this is a failure.
fn tell_unread(session: &Session, lane: &Arc<Lane>, unread: Vec<Failure>) -> Vec<Failure> {
    let told = session.observed.all_left_out();
    let told =
        |failure: &Failure| told.iter().any(|left| matches!(left, LeftOut::Failed(left) if left.is_like(failure)));
    let unread: Vec<Failure> = unread.into_iter().filter(|failure| !told(failure)).collect();
    // The line only asked to see the hosts.
    if session.run.line == session.run.naming {
        return unread;
    }
    for failure in unread {
        lane.tell(EventKind::Warned { host: None, text: failure.to_string() });
    }
    Vec::new()
}
