//! Hosts that are out when a run ends, though its line did not ask for that.
use crate::{
    balancer::Balance,
    bookkeeping::{self, Consult},
    control::shown,
    effect::Lane,
    event::{Standing, What},
    failure::Failure,
    host::Name,
    ledger::Book,
    session::{LeftOut, Out, Session},
};
use std::{collections::BTreeMap, sync::Arc};

/// What each fleet's balancers were read to say, by the fleet's name.
pub type Balances = BTreeMap<Name, Result<Balance, Failure>>;

/// Names the targets that are still out to be changed though the run went well, and those that somebody took out after this run put them back.
///
/// They are left out: such a run does not end with 0.
pub fn tell(session: &Session, lane: &Arc<Lane>, balances: &Balances, well: bool) {
    let (mut books, observed) = (BTreeMap::new(), &session.observed);
    for (fleet, host) in observed.targets() {
        let Some(Ok(balance)) = balances.get(&fleet.name).filter(|_| observed.has_lock(&fleet.name)) else { continue };
        if !matches!(balance.standing(&fleet, &host), Ok(Standing::Out | Standing::Mixed)) {
            continue;
        }
        let read = || {
            lane.perform(Consult { fleet: fleet.clone(), question: bookkeeping::HostStandings { hosts: None } }).ok()
        };
        let Some(book) = books.entry(fleet.name.clone()).or_insert_with(read) else { continue };
        let mixed = book.last_admin(&host.name).is_some_and(|line| line.effect == "ready" && !line.places.is_empty());
        let text = match session.run.out_as(book, &host.name) {
            Out::Returning if well && of_line(session, book, &host.name) => {
                let why = book.last_admin(&host.name).map_or("", |line| line.why());
                format!("`{host}` was taken out {why} and isn't back yet: `rfab {}` puts it back", session.run.typed())
            }
            Out::Strange if observed.host(&host).back.is_some() && !mixed => {
                format!("`{host}` was put back by this run, and somebody took it out since: not touched")
            }
            _ => continue,
        };
        observed.left_out(LeftOut::Why(text.clone()));
        lane.tell(What::Warned { host: None, text });
    }
}

/// Whether it was this run that took a host out, or an earlier one of the same line.
fn of_line(session: &Session, book: &Book, host: &str) -> bool {
    let Some(line) = book.last_admin(host) else { return false };
    let typed = shown(&session.run.typed());
    let began = book.lines.iter().find(|other| other.effect == "run" && other.run == line.run);
    line.run == session.run.id || began.is_some_and(|began| began.reason.as_deref() == Some(&*typed))
}
