//! Connections, opened before the first step.
use crate::{
    balancer::ReadBalance,
    event::Standing,
    failure::Failure,
    host::Host,
    ledger::ReadLedger,
    script::{Here, Targets},
    ssh::Connect,
};

/// Opens the connections to the balancers, then side by side those to all targets but the ones that somebody else
/// took out: they may be dead, and only who names them needs them.
pub fn connect(here: &Here) -> Result<(), Failure> {
    let Some(targets) = here.targets.lock().unwrap().clone() else { return Ok(()) };
    let open = |hosts: Vec<Host>| {
        let at_once = here.session.run.parallel;
        here.lane.perform(Connect { fleet: targets.fleet.clone(), hosts, at_once }).map(drop)
    };
    let mut hosts = targets.hosts.to_vec();
    if !targets.fleet.balancers.is_empty() {
        open(targets.fleet.balancers.iter().map(|b| b.host.clone()).collect())?;
        // What cannot be read now is told by whoever needs it.
        let strange = out_by_others(here, &targets).unwrap_or_default();
        strange.iter().for_each(|host| here.session.tally.left_alone(host));
        hosts.retain(|host| !strange.contains(host));
    }
    open(hosts)
}

/// The targets that are out and that neither this run nor a run of `only` or `flip` took out.
fn out_by_others(here: &Here, targets: &Targets) -> Result<Vec<Host>, Failure> {
    let fleet = &targets.fleet;
    let balance = here.lane.perform(ReadBalance { fleet: fleet.clone() })?;
    let out = |host: &&Host| matches!(balance.standing(fleet, host), Ok(Standing::Out));
    let out: Vec<Host> = targets.hosts.iter().filter(out).cloned().collect();
    if out.is_empty() {
        return Ok(out);
    }
    let book = here.lane.perform(ReadLedger { fleet: fleet.clone() })?;
    let ours = |host: &Host| {
        here.session.tally.told(host).drained
            || book.last_admin(&host.name).is_some_and(|line| here.session.run.may_end(line))
    };
    Ok(out.into_iter().filter(|host| !ours(host)).collect())
}
