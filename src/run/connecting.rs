//! Opens connections before the first step.
use crate::{
    balancer::{ReadBalance, ReadHolder},
    bookkeeping::{self, Consult, place},
    event::{EventKind, PoolState},
    failure::Failure,
    host::Host,
    ledger::Book,
    remote::Connect,
    script::{Here, Targets},
    session::{tell_forgotten, tell_unfinished},
};

/// What a run will do on its hosts.
#[derive(Clone, Copy)]
pub(super) struct HostWork {
    /// It changes something for certain.
    pub changes: bool,
    /// It runs one command on each of them.
    pub single: bool,
}

/// Opens the connections to the balancers, then, in parallel, those to all targets except hosts that somebody else took
/// out: they may be dead, and only a run that names them needs them.
///
/// If the run changes something for certain, it also begins to log in for the lock.
pub(super) fn connect(here: &Here, work: HostWork) -> Result<(), Failure> {
    let HostWork { changes, single } = work;
    let Some(targets) = here.targets.lock().unwrap().clone() else { return Ok(()) };
    let open = |hosts: Vec<Host>, single: bool| {
        let at_once = here.session.run.parallel;
        here.lane.perform(Connect { fleet: targets.fleet.clone(), hosts, at_once, changes, single }).map(drop)
    };
    let mut hosts = targets.hosts.to_vec();
    if !targets.fleet.balancers.is_empty() {
        open(targets.fleet.balancers.iter().map(|b| b.host.clone()).collect(), false)?;
        // If something can't be read, the effect that needs it reports that.
        let book = read(here, &targets);
        let strange = out_by_others(here, &targets, &book).unwrap_or_default();
        strange.iter().for_each(|host| here.session.observed.left_alone(host));
        hosts.retain(|host| !strange.contains(host));
    }
    open(hosts, single)?;
    // Without a balancer the ledger is on the first host, which may not be a target.
    let place = place(&targets.fleet).ok();
    let home = targets.hosts.iter().find(|host| Some(&host.name) == place.as_ref());
    if targets.fleet.balancers.is_empty()
        && home.is_some_and(|home| here.session.observed.host(home).unreachable.is_none())
    {
        read(here, &targets);
    }
    Ok(())
}

/// Reads the fleet's ledger, and reports runs that began something there and didn't end it.
fn read(here: &Here, targets: &Targets) -> Book {
    let book = here
        .lane
        .perform(Consult { fleet: targets.fleet.clone(), question: bookkeeping::HostPoolStates { hosts: None } })
        .unwrap_or_default();
    let holder = || here.lane.perform(ReadHolder { fleet: targets.fleet.clone() }).unwrap_or_default();
    tell_unfinished(&here.session.run, &here.session.observed, &book, &here.lane, holder);
    book
}

/// Returns the targets that somebody else took out.
fn out_by_others(here: &Here, targets: &Targets, book: &Book) -> Result<Vec<Host>, Failure> {
    let fleet = &targets.fleet;
    let balance = here.lane.perform(ReadBalance::of(fleet.clone()))?;
    let out = |host: &&Host| matches!(balance.standing(fleet, host), Ok(PoolState::Out));
    for text in tell_forgotten(fleet, &balance, book) {
        here.lane.tell(EventKind::Warned { host: None, text });
    }
    let out: Vec<Host> = targets.hosts.iter().filter(out).cloned().collect();
    if out.is_empty() {
        return Ok(out);
    }
    Ok(out.into_iter().filter(|host| !here.session.run.may_end(book, &host.name)).collect())
}
