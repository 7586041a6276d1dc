//! Narrows targets by a selection or a flag.
use super::{Here, RhaiResultOf, Targets, thrown};
use crate::{
    balancer::{Balance, ReadBalance},
    bookkeeping::{self, Consult},
    event::PoolState,
    failure::{Cause, Failure, Reason},
    fleet::{
        Fleet, Selection,
        selection::{excluded, limited},
    },
    host::Host,
    session::tell_forgotten,
};
use std::{collections::BTreeMap, sync::Arc};

/// Returns the targets that a selection names; `live` and `out` ask the balancer at this moment.
pub fn select_hosts(here: &Here, targets: &Targets, selection: &str) -> RhaiResultOf<Targets> {
    let fleet = &targets.fleet;
    let parsed = Selection::parse(selection, fleet).map_err(|wrong| {
        // A selection that occurs in the line was typed; any other is the fabfile's.
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
        let read = here.perform(ReadBalance::lately(fleet.clone()))?;
        let balance = balance.insert(read);
        for host in &fleet.hosts {
            standings.insert(host.name.clone(), balance.standing(fleet, host).map_err(thrown)?);
        }
    }
    let standing = |host: &Host| standings.get(&host.name).copied().unwrap_or(PoolState::Unknown);
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

/// Returns whether an argument of the line is this selection, or contains it as an item.
fn typed(line: &str, selection: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let whole = |(at, found): (usize, &str)| {
        let (before, behind) = (line[..at].chars().next_back(), line[at + found.len()..].chars().next());
        // A word after a space is a task's name.
        before.is_some_and(|c| !inner(c) && c != ' ') && !behind.is_some_and(inner)
    };
    !selection.is_empty() && line.match_indices(selection).any(whole)
}

/// Changes the failure of a wrong selection that a person typed, in the line or after a flag.
fn of_the_line(wrong: Failure) -> Failure {
    match wrong.reason() {
        Reason::Fabfile => Failure { cause: Cause::Usage, ..wrong },
        _ => wrong,
    }
}

/// Adds to a failure that selected no hosts that a balancer may have forgotten which hosts are out.
fn forgot(here: &Here, fleet: &Arc<Fleet>, balance: Option<Balance>, failure: Failure) -> Failure {
    let Some(balance) = balance else { return failure };
    let asked = Consult { fleet: fleet.clone(), question: bookkeeping::HostPoolStates { hosts: None } };
    let Ok(book) = here.lane.perform(asked) else { return failure };
    match tell_forgotten(fleet, &balance, &book) {
        told if told.is_empty() => failure,
        told => failure.help(told.join("\n")),
    }
}

/// Returns all hosts of the targets' fleet; applies `--limit` and `--exclude`.
pub fn whole_fleet_of(here: &Here, targets: &Targets) -> RhaiResultOf<Targets> {
    limit(here, &targets.with(targets.fleet.hosts.clone(), "all")).map_err(thrown)
}

/// Applies `--limit` and `--exclude`.
pub(super) fn limit(here: &Here, targets: &Targets) -> Result<Targets, Failure> {
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
