//! Hosts that are out when a run ends, though its line didn't ask for that.
use crate::{
    balancer::Balance,
    bookkeeping::{self, Consult},
    control::shown,
    effect::Lane,
    event::{EventKind, PoolState},
    failure::Failure,
    host::Name,
    ledger::Book,
    session::{LeftOut, OutReason, Session},
};
use std::{collections::BTreeMap, sync::Arc};

/// The state that each fleet's balancers reported, by the fleet's name.
pub(super) type Balances = BTreeMap<Name, Result<Balance, Failure>>;

/// Reports targets that the line took out and that aren't back though the run succeeded, and targets that somebody took
/// out after this run put them back.
///
/// They count as left out: such a run doesn't end with 0.
pub(super) fn tell(session: &Session, lane: &Arc<Lane>, balances: &Balances, well: bool) {
    let (mut books, observed) = (BTreeMap::new(), &session.observed);
    for (fleet, host) in observed.targets() {
        let Some(Ok(balance)) = balances.get(&fleet.name).filter(|_| observed.has_lock(&fleet.name)) else { continue };
        if !matches!(balance.standing(&fleet, &host), Ok(PoolState::Out | PoolState::Mixed)) {
            continue;
        }
        let read = || {
            lane.perform(Consult { fleet: fleet.clone(), question: bookkeeping::HostPoolStates { hosts: None } }).ok()
        };
        let Some(book) = books.entry(fleet.name.clone()).or_insert_with(read) else { continue };
        let mixed = book.last_admin(&host.name).is_some_and(|line| line.effect == "ready" && !line.places.is_empty());
        let text = match session.run.out_as(book, &host.name) {
            OutReason::Returning if well && of_line(session, book, &host.name) => {
                let why = book.last_admin(&host.name).map_or("", |line| line.why());
                format!("`{host}` was taken out {why} and isn't back yet: `rfab {}` puts it back", session.run.typed())
            }
            OutReason::Strange if observed.host(&host).back.is_some() && !mixed => {
                format!("`{host}` was put back by this run, but somebody has taken it out since, so rfab leaves it out")
            }
            _ => continue,
        };
        observed.left_out(LeftOut::Why(text.clone()));
        lane.tell(EventKind::Warned { host: None, text });
    }
}

/// Returns whether this run, or an earlier one of the same line, took a host out.
fn of_line(session: &Session, book: &Book, host: &str) -> bool {
    let Some(line) = book.last_admin(host) else { return false };
    let typed = shown(&session.run.typed());
    let began = book.lines.iter().find(|other| other.effect == "run" && other.run == line.run);
    line.run == session.run.id || began.is_some_and(|began| began.reason.as_deref() == Some(&*typed))
}
