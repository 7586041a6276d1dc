//! Hosts chosen for the next tasks: from a fleet, by a selection, handed from task to task.
use super::{Here, Invocation, RhaiResultOf, Value, failure_of, thrown};
use crate::{
    balancer::{Balance, ReadBalance},
    event::{Standing, What},
    failure::{Cause, Failure, Reason},
    fleet::{
        Fleet, Selection, Written, Wrong,
        selection::{excluded, limited},
    },
    host::Host,
    ledger::{self, Consult},
    local::{Local, ReadHosts},
    session::tell_forgotten,
};
use std::{collections::BTreeMap, sync::Arc};

/// Hosts of one fleet, in its order, and how they were chosen.
#[derive(Clone, Debug)]
pub struct Targets {
    pub fleet: Arc<Fleet>,
    pub hosts: Arc<Vec<Host>>,
    pub selection: String,
}

impl Targets {
    pub fn with(&self, hosts: Vec<Host>, selection: &str) -> Targets {
        Targets { fleet: self.fleet.clone(), hosts: hosts.into(), selection: selection.to_owned() }
    }
}

/// The hosts of a fleet file below the fabfile's folder, with `--set`, `--limit` and `--exclude` obeyed.
pub fn fleet_of_file(here: &Here, path: &str) -> RhaiResultOf<Targets> {
    let file = here.script.below(path).map_err(thrown)?;
    if file.exists() {
        super::owned_well(&file).map_err(thrown)?;
    }
    whole(here, Written::in_file(path, &here.script.folder, &here.script.set))
}

/// The hosts of a fleet given as a map.
pub fn fleet_of_map(here: &Here, name: &str, keys: rhai::Map) -> RhaiResultOf<Targets> {
    let value: serde_json::Value = rhai::serde::from_dynamic(&rhai::Dynamic::from(keys))?;
    whole(here, Written::in_map(name, &value, &here.script.folder, &here.script.set))
}

/// Asks the command of `hosts_from` for hosts, if the fleet names one.
fn whole(here: &Here, written: Result<Written, Wrong>) -> RhaiResultOf<Targets> {
    let wrong = |wrong: Wrong| thrown(wrong.into());
    let mut written = written.map_err(wrong)?;
    if let Some(words) = written.hosts_from().map_err(wrong)? {
        let program = here.script.folder.join(&words[0]);
        // What `PATH` leads to is the system's.
        if words[0].contains('/') && program.exists() {
            super::owned_well(&program).map_err(thrown)?;
        }
        let asked = ReadHosts::new(&written.name, &words, Local::at(here.script.folder.clone()));
        written = written.with(&here.perform(asked)?).map_err(wrong)?;
    }
    admit(here, written.fleet().map_err(wrong)?)
}

fn admit(here: &Here, mut fleet: Fleet) -> RhaiResultOf<Targets> {
    // Who may write these says which machine is trusted, and what ssh starts here.
    for file in fleet.ssh.iter().chain([&here.script.folder.join("known_hosts")]).filter(|file| file.exists()) {
        super::owned_well(file).map_err(thrown)?;
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

/// Says what is not looked at in a run that does not ask a balancer, and which hosts that is about.
fn warn(here: &Here, fleet: &Fleet) {
    for (pool, role) in &fleet.unasked {
        let text = format!(
            "rfab doesn't ask the balancer of `{pool}`: it switches hosts of the role `{role}` while they may take \
             requests. It drains nothing, doesn't count which stay live, and doesn't check whether the balancer \
             finds them healthy"
        );
        here.lane.tell(What::Warned { host: None, text });
    }
    for host in fleet.hosts.iter().filter(|host| !fleet.unasked(host).is_empty()) {
        here.session.observed.remark(host, "its balancer wasn't asked");
    }
}

/// Those of the hosts that a selection names; `live` and `out` ask the balancer at this moment.
pub fn select_hosts(here: &Here, targets: &Targets, selection: &str) -> RhaiResultOf<Targets> {
    let fleet = &targets.fleet;
    let parsed = Selection::parse(selection, fleet).map_err(|wrong| {
        // What stands in the line was typed; what does not is the fabfile's.
        thrown(if typed(&here.session.run.line, selection) { of_the_line(wrong) } else { wrong })
    })?;
    let mut standings = BTreeMap::new();
    if let Some(pool) = fleet.unasked.keys().next().filter(|_| parsed.needs_balancer()) {
        let message = format!(
            "`{selection}`: rfab can't tell which hosts are live or out, because it doesn't ask the balancer of \
             `{pool}`"
        );
        return Err(thrown(
            Failure::refused(message).help("name hosts, groups or roles, or leave `--without-balancer` out"),
        ));
    }
    let mut balance = None;
    if parsed.needs_balancer() {
        let read = here.perform(ReadBalance { fleet: fleet.clone() })?;
        let balance = balance.insert(read);
        for host in &fleet.hosts {
            standings.insert(host.name.clone(), balance.standing(fleet, host).map_err(thrown)?);
        }
    }
    let standing = |host: &Host| standings.get(&host.name).copied().unwrap_or(Standing::Unknown);
    let chosen = match parsed.hosts(fleet, standing) {
        Err(failure) if failure.reason() == Reason::NoHosts => {
            return Err(thrown(forgot(here, fleet, balance, failure)));
        }
        chosen => chosen.map_err(thrown)?,
    };
    let hosts: Vec<Host> = targets.hosts.iter().filter(|h| chosen.contains(h)).cloned().collect();
    if hosts.is_empty() {
        let message = format!("`{selection}` selects none of these hosts: {}", targets.selection);
        return Err(thrown(Failure::new(Cause::NoHosts, message).unchanged()));
    }
    Ok(targets.with(hosts, selection))
}

/// Whether an argument of the line is this selection, or has it as one of several.
fn typed(line: &str, selection: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let whole = |(at, found): (usize, &str)| {
        let (before, behind) = (line[..at].chars().next_back(), line[at + found.len()..].chars().next());
        // What stands behind a space is a task's name.
        before.is_some_and(|c| !inner(c) && c != ' ') && !behind.is_some_and(inner)
    };
    !selection.is_empty() && line.match_indices(selection).any(whole)
}

/// A selection that a person typed wrongly, in the line or behind a flag.
fn of_the_line(wrong: Failure) -> Failure {
    match wrong.reason() {
        Reason::Fabfile => Failure { cause: Cause::Usage, ..wrong },
        _ => wrong,
    }
}

/// Nobody is meant; perhaps because a balancer forgot who is out.
fn forgot(here: &Here, fleet: &Arc<Fleet>, balance: Option<Balance>, failure: Failure) -> Failure {
    let Some(balance) = balance else { return failure };
    let asked = Consult { fleet: fleet.clone(), question: ledger::Standing { hosts: None } };
    let Ok(book) = here.lane.perform(asked) else { return failure };
    match tell_forgotten(fleet, &balance, &book) {
        told if told.is_empty() => failure,
        told => failure.help(told.join("\n")),
    }
}

/// All hosts of the fleet that some are of, with `--limit` and `--exclude` obeyed.
pub fn whole_fleet_of(here: &Here, targets: &Targets) -> RhaiResultOf<Targets> {
    limit(here, &targets.with(targets.fleet.hosts.clone(), "all")).map_err(thrown)
}

/// Those of the hosts that one of the fleet's several apps is on, as targets of the app's own fleet.
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

/// The targets of the tasks; the task that `default_targets` names is run when none named hosts before.
pub fn current_targets(here: &Here) -> RhaiResultOf<Targets> {
    if let Some(targets) = here.targets.lock().unwrap().clone() {
        return Ok(targets);
    }
    let Some(default) = here.script.default_targets.clone() else {
        let failure = Failure::new(Cause::Fabfile, "no task named hosts, and the fabfile has no `default_targets`");
        return Err(thrown(
            failure.help("name hosts first, such as `rfab prod …`, or add `const default_targets = \"testing\";`"),
        ));
    };
    let task = Invocation { function: default.clone(), ..Invocation::default() };
    // The default task runs in a lane of its own, so that what calls it counts the same.
    let inside = Here { lane: here.lane.inner(&default), defers: Arc::default(), ..here.clone() };
    let called = here.script.call(&inside, &task);
    inside.lane.end(called.as_ref().err().map(|e| failure_of(e)).as_ref());
    match called? {
        Value::Targets(targets) => {
            hand_over(here, &targets)?;
            Ok(targets)
        }
        _ => {
            let message = format!("`default_targets` names `{default}`, which returns no hosts");
            Err(thrown(Failure::new(Cause::Fabfile, message).help("let it end with `fleet(…)`")))
        }
    }
}

/// Makes hosts the targets of what follows, says so, and opens the connections to them.
pub fn hand_over(here: &Here, targets: &Targets) -> RhaiResultOf<()> {
    let limited = limit(here, targets).map_err(thrown)?;
    here.lane.tell(What::TargetsChanged {
        fleet: limited.fleet.name.clone(),
        hosts: limited.hosts.iter().map(|h| h.name.clone()).collect(),
        of: limited.fleet.hosts.len(),
        selection: limited.selection.clone(),
    });
    here.session.observed.target(&limited.fleet, &limited.hosts);
    *here.targets.lock().unwrap() = Some(limited);
    Ok(())
}

/// Obeys `--limit` and `--exclude`.
fn limit(here: &Here, targets: &Targets) -> Result<Targets, Failure> {
    let mut hosts = targets.hosts.to_vec();
    if let Some(text) = &here.script.limit {
        hosts = limited(&targets.fleet, &hosts, text).map_err(of_the_line)?;
    }
    for text in &here.script.exclude {
        hosts = excluded(&targets.fleet, &hosts, text).map_err(of_the_line)?;
    }
    Ok(targets.with(hosts, &targets.selection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_typed_if_an_argument_of_the_line_is_it_and_else_it_is_the_fabfiles() {
        for (line, selection, is) in [
            ("prod:web9", "web9", true),
            ("prod:web9 deploy:stable", "web9", true),
            ("prod:web1,web9 deploy:stable", "web1,web9", true),
            ("prod:web1,web9 deploy:stable", "web9", true),
            ("prod act:'web9'", "web9", true),
            ("prod act:hosts=web9", "web9", true),
            ("prod:web9 act", "web", false),
            ("prod:db-web act", "web", false),
            ("prod act", "act", false),
            ("prod act", "prod", false),
            ("prod act", "web9", false),
            ("prod act", "", false),
        ] {
            assert_eq!(typed(line, selection), is, "{line} {selection}");
        }
    }
}
