//! Whether hosts are live or out, for scripts.
use super::HostValue;
use crate::{
    balancer::{Balance, ReadBalance},
    bookkeeping::{self, Consult},
    event::PoolState,
    host::Host,
    script::{Here, RhaiResultOf, Targets, thrown},
    session::{OutReason, in_again},
};
use rhai::Map;

/// Reads the state of the fleet's balancers.
pub(super) fn read(here: &Here, targets: &Targets) -> RhaiResultOf<Balance> {
    here.perform(ReadBalance::lately(targets.fleet.clone()))
}

fn standing_word(standing: PoolState) -> &'static str {
    match standing {
        PoolState::Live => "live",
        PoolState::Out => "out",
        PoolState::Mixed => "mixed",
        PoolState::None => "none",
        PoolState::Unknown => "unknown",
    }
}

/// Returns the targets with one of these standings.
pub(super) fn standing_as(here: &Here, targets: &Targets, wanted: &[PoolState]) -> RhaiResultOf<Targets> {
    if targets.hosts.is_empty() || targets.fleet.balancers.is_empty() {
        return Ok(targets.with(Vec::new(), &targets.selection));
    }
    let balance = read(here, targets)?;
    let mut hosts = Vec::new();
    for host in targets.hosts.iter() {
        if wanted.contains(&balance.standing(&targets.fleet, host).map_err(thrown)?) {
            hosts.push(host.clone());
        }
    }
    Ok(targets.with(hosts, &targets.selection))
}

/// Returns the targets that are out for a wanted reason.
pub(super) fn out_as(here: &Here, targets: &Targets, wanted: fn(OutReason) -> bool) -> RhaiResultOf<Targets> {
    let gone = standing_as(here, targets, &[PoolState::Out, PoolState::Mixed])?;
    if gone.hosts.is_empty() {
        return Ok(gone);
    }
    let book = here.perform(standing_of(&gone))?;
    let chosen = gone.hosts.iter().filter(|host| wanted(here.session.run.out_as(&book, &host.name)));
    Ok(targets.with(chosen.cloned().collect(), &targets.selection))
}

/// Returns the question that asks the ledger for the standing of targets.
pub(super) fn standing_of(targets: &Targets) -> Consult<bookkeeping::HostPoolStates> {
    let hosts = targets.hosts.iter().map(|host| host.name.clone()).collect();
    Consult { fleet: targets.fleet.clone(), question: bookkeeping::HostPoolStates { hosts: Some(hosts) } }
}

/// Returns targets that consist of one host.
pub(super) fn alone(here: &Here, host: &HostValue) -> Targets {
    let fleet = here.fleet_of(&host.0.host);
    Targets { fleet, hosts: vec![host.0.host.clone()].into(), selection: host.0.host.name.to_string() }
}

/// Returns the state of hosts in the balancer, as maps by host.
pub(super) fn states(here: &Here, targets: &Targets) -> RhaiResultOf<Map> {
    let balance = read(here, targets)?;
    let mut states = Map::new();
    for host in targets.hosts.iter() {
        let servers = balance.servers(&targets.fleet, host).map_err(thrown)?;
        let mut state = Map::new();
        let standing = balance.standing(&targets.fleet, host).map_err(thrown)?;
        state.insert("standing".into(), standing_word(standing).into());
        state.insert("up".into(), balance.up(&targets.fleet, host).map_err(thrown)?.into());
        state.insert("in_flight".into(), (balance.in_flight(&targets.fleet, host).map_err(thrown)? as i64).into());
        let said: Vec<&str> = servers.iter().map(|s| &*s.raw).collect();
        state.insert("said".into(), said.join(", ").into());
        states.insert((&*host.name).into(), state.into());
    }
    Ok(states)
}

/// Returns the targets that are live although a run took them out.
pub(super) fn in_by_itself(here: &Here, targets: &Targets) -> RhaiResultOf<Targets> {
    if targets.hosts.is_empty() || targets.fleet.balancers.is_empty() {
        return Ok(targets.with(Vec::new(), &targets.selection));
    }
    let balance = read(here, targets)?;
    let book = here.perform(standing_of(targets))?;
    let again = |host: &&Host| in_again(&targets.fleet, host, &balance, &book).is_some();
    Ok(targets.with(targets.hosts.iter().filter(again).cloned().collect(), &targets.selection))
}
