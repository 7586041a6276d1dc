//! How hosts stand in the balancer, for scripts.
use super::HostValue;
use crate::{
    balancer::{Balance, ReadBalance},
    bookkeeping::{self, Consult},
    event::Standing,
    host::Host,
    script::{Here, RhaiResultOf, Targets, thrown},
    session::{Out, in_again},
};
use rhai::Map;

/// How the balancers of the targets stand.
pub fn read(here: &Here, targets: &Targets) -> RhaiResultOf<Balance> {
    here.perform(ReadBalance { fleet: targets.fleet.clone() })
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::Out => "out",
        Standing::Mixed => "mixed",
        Standing::None => "none",
        Standing::Unknown => "unknown",
    }
}

/// Those of the hosts that stand in one of these ways.
pub fn standing_as(here: &Here, targets: &Targets, wanted: &[Standing]) -> RhaiResultOf<Targets> {
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

/// Those of the hosts that are out for a reason that is wanted.
pub fn out_as(here: &Here, targets: &Targets, wanted: fn(Out) -> bool) -> RhaiResultOf<Targets> {
    let gone = standing_as(here, targets, &[Standing::Out, Standing::Mixed])?;
    if gone.hosts.is_empty() {
        return Ok(gone);
    }
    let book = here.perform(standing_of(&gone))?;
    let chosen = gone.hosts.iter().filter(|host| wanted(here.session.run.out_as(&book, &host.name)));
    Ok(targets.with(chosen.cloned().collect(), &targets.selection))
}

/// Asks the ledger how targets stand.
pub fn standing_of(targets: &Targets) -> Consult<bookkeeping::HostStandings> {
    let hosts = targets.hosts.iter().map(|host| host.name.clone()).collect();
    Consult { fleet: targets.fleet.clone(), question: bookkeeping::HostStandings { hosts: Some(hosts) } }
}

/// A host alone, as targets.
pub fn alone(here: &Here, host: &HostValue) -> Targets {
    let fleet = here.fleet_of(&host.0.host);
    Targets { fleet, hosts: vec![host.0.host.clone()].into(), selection: host.0.host.name.to_string() }
}

/// How hosts stand in the balancer, as maps by host.
pub fn states(here: &Here, targets: &Targets) -> RhaiResultOf<Map> {
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

/// Those of the hosts that are live although they were taken out.
pub fn in_by_itself(here: &Here, targets: &Targets) -> RhaiResultOf<Targets> {
    if targets.hosts.is_empty() || targets.fleet.balancers.is_empty() {
        return Ok(targets.with(Vec::new(), &targets.selection));
    }
    let balance = read(here, targets)?;
    let book = here.perform(standing_of(targets))?;
    let again = |host: &&Host| in_again(&targets.fleet, host, &balance, &book).is_some();
    Ok(targets.with(targets.hosts.iter().filter(again).cloned().collect(), &targets.selection))
}
