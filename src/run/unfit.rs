//! Handles hosts that a run leaves unfit to serve, at its end.
use crate::{
    balancer::{ReadBalance, SetAdmin},
    bookkeeping::{Mark, MarkState, ReadLedger},
    effect::{Admin, Lane},
    event::{EventKind, PoolState},
    failure::Failure,
    fleet::Fleet,
    host::{Host, listed},
    ledger::{Phase, bad, switch},
    session::Session,
};
use std::sync::Arc;

/// Records releases that died on hosts after this run switched to them: no rollback chooses them, and they don't count
/// as in progress.
pub(super) fn distrust(session: &Session, lane: &Arc<Lane>) {
    for fleet in session.fleets.all().into_iter().filter(|fleet| session.observed.has_lock(&fleet.name)) {
        let died: Vec<&Host> = fleet.hosts.iter().filter(|host| session.observed.host(host).died).collect();
        if died.is_empty() {
            continue;
        }
        let written = lane.perform(ReadLedger { fleet: fleet.clone() }).and_then(|book| {
            for host in died {
                let switched = book.last_mark(&switch(&host.name)).filter(|line| line.run == session.run.id);
                let Some(commit) = switched.and_then(|line| line.commit.clone()) else { continue };
                let (name, line) = (bad(&host.name), session.run.line(Phase::Intent));
                lane.perform(Mark { fleet: fleet.clone(), name, commit, state: MarkState::Done, line })?;
            }
            Ok(())
        });
        if let Err(failure) = written {
            let text = format!("rfab couldn't record that this release died: {}", failure.message);
            lane.tell(EventKind::Warned { host: None, text });
        }
    }
}

/// Takes hosts out again that a balancer forgot while they were out and that failed since: nobody has seen them serve.
pub(super) fn out_again(session: &Session, lane: &Arc<Lane>) {
    for fleet in session.fleets.all().into_iter().filter(|fleet| session.observed.has_lock(&fleet.name)) {
        let unfit = |host: &&Host| {
            let told = session.observed.host(host);
            told.drained && told.failure.is_some()
        };
        let hosts: Vec<&Host> = fleet.hosts.iter().filter(unfit).collect();
        if hosts.is_empty() {
            continue;
        }
        let text = match forgotten(session, lane, &fleet, &hosts) {
            Ok(hosts) if hosts.is_empty() => continue,
            Ok(hosts) => {
                let names: Vec<&str> = hosts.iter().map(|host| &*host.name).collect();
                format!(
                    "rfab took {} out again: a balancer was reloaded or restarted, and then sent requests there",
                    listed(&names)
                )
            }
            Err(failure) => format!("rfab can't tell whether {} gets requests: {}", hosts[0], failure.message),
        };
        lane.tell(EventKind::Warned { host: None, text });
    }
}

/// Drains the hosts that are live because a balancer was reloaded, and returns them.
fn forgotten(session: &Session, lane: &Arc<Lane>, fleet: &Arc<Fleet>, hosts: &[&Host]) -> Result<Vec<Host>, Failure> {
    let balance = lane.perform(ReadBalance::of(fleet.clone()))?;
    let mut back = Vec::new();
    for host in hosts {
        let out = matches!(balance.standing(fleet, host)?, PoolState::Out | PoolState::None);
        if !out && session.observed.host(host).exposed.is_some() {
            back.push((*host).clone());
        }
    }
    let Some(first) = back.first() else { return Ok(back) };
    let book = lane.perform(ReadLedger { fleet: fleet.clone() })?;
    let line = book.last_admin(&first.name).filter(|line| line.effect == "drain");
    let reason = line.and_then(|line| line.reason.clone()).unwrap_or_else(|| "deploy".to_owned());
    lane.perform(SetAdmin { fleet: fleet.clone(), hosts: back.clone(), to: Admin::Drain, reason, typed: false })?;
    Ok(back)
}
