//! Fleets that a script names, with their hosts as targets.
use super::{Here, RhaiResultOf, Targets, owned_well, thrown};
use crate::{
    event::EventKind,
    failure::{Cause, Failure},
    fleet::{Fleet, WrittenFleet, Wrong},
    host::Host,
    local::{LocalCall, ReadHosts},
};
use std::sync::Arc;

/// Returns the hosts of a fleet file inside the fabfile's folder; applies `--set`, `--limit` and `--exclude`.
pub fn fleet_of_file(here: &Here, path: &str) -> RhaiResultOf<Targets> {
    let file = here.script.below(path).map_err(thrown)?;
    if file.exists() {
        owned_well(&file).map_err(thrown)?;
    }
    whole(here, WrittenFleet::in_file(path, &here.script.folder, &here.script.set))
}

/// Returns the hosts of a fleet that is given as a map.
pub fn fleet_of_map(here: &Here, name: &str, keys: rhai::Map) -> RhaiResultOf<Targets> {
    let value: serde_json::Value = rhai::serde::from_dynamic(&rhai::Dynamic::from(keys))?;
    whole(here, WrittenFleet::in_map(name, &value, &here.script.folder, &here.script.set))
}

/// Completes a fleet with the hosts that the command of `hosts_from` prints, if there is one.
fn whole(here: &Here, written: Result<WrittenFleet, Wrong>) -> RhaiResultOf<Targets> {
    let wrong = |wrong: Wrong| thrown(wrong.into());
    let mut written = written.map_err(wrong)?;
    if let Some(words) = written.hosts_from().map_err(wrong)? {
        let program = here.script.folder.join(&words[0]);
        // The system is responsible for commands in `PATH`.
        if words[0].contains('/') && program.exists() {
            owned_well(&program).map_err(thrown)?;
        }
        let asked = ReadHosts::new(&written.name, &words, LocalCall::at(here.script.folder.clone()));
        written = written.with(&here.perform(asked)?).map_err(wrong)?;
    }
    admit(here, written.fleet().map_err(wrong)?)
}

fn admit(here: &Here, mut fleet: Fleet) -> RhaiResultOf<Targets> {
    // The owner of these files decides which machines are trusted, and what ssh starts here.
    for file in fleet.ssh.iter().chain([&here.script.folder.join("known_hosts")]).filter(|file| file.exists()) {
        owned_well(file).map_err(thrown)?;
    }
    for pool in &here.session.run.allowed.without_balancer {
        fleet.leave_unasked(pool).map_err(thrown)?;
    }
    let known = here.session.fleets.known(&fleet).map_err(thrown)?.is_some();
    let fleet = here.session.admit(fleet).map_err(thrown)?;
    if !known && !fleet.unasked.is_empty() {
        warn(here, &fleet);
    }
    here.script.meter.is_about(fleet.hosts.len());
    let hosts = Arc::new(fleet.hosts.clone());
    Ok(Targets { fleet, hosts, selection: "all".to_owned() })
}

/// Warns what isn't checked in a run that doesn't ask a balancer, and marks the hosts that this affects.
fn warn(here: &Here, fleet: &Fleet) {
    for (pool, role) in &fleet.unasked {
        let text = format!(
            "rfab doesn't ask the balancer of `{pool}`: it switches hosts of the role `{role}` while they may take \
             requests. It drains nothing, doesn't count which stay live, and doesn't check whether the balancer \
             finds them healthy"
        );
        here.lane.tell(EventKind::Warned { host: None, text });
    }
    for host in fleet.hosts.iter().filter(|host| !fleet.unasked(host).is_empty()) {
        here.session.observed.remark(host, "its balancer wasn't asked");
    }
}

/// Returns the hosts among the targets that run `app`, one of the fleet's apps, as targets of the app's own fleet.
pub fn hosts_of_app(here: &Here, targets: &Targets, app: &str) -> RhaiResultOf<Targets> {
    let fleet = targets.fleet.of_app(app).map_err(thrown)?.clone();
    let of_app = admit(here, fleet)?;
    let chosen = |host: &&Host| targets.hosts.iter().any(|other| other.name == host.name);
    let hosts: Vec<Host> = of_app.hosts.iter().filter(chosen).cloned().collect();
    if hosts.is_empty() {
        let message = format!("app `{app}` is on none of these hosts: {}", targets.selection);
        return Err(thrown(Failure::new(Cause::NoHosts, message).unchanged()));
    }
    Ok(of_app.with(hosts, &targets.selection))
}
