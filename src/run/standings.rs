//! The state of every target when a run ends.
use super::left::{self, Balances};
use crate::{
    balancer::ReadBalance,
    bookkeeping::{Calling, Consult},
    effect::Lane,
    event::{HostRow, Outcome, PoolState},
    failure::{Failure, Reason},
    fan_out,
    fleet::Fleet,
    host::{Host, Name},
    model::{Commit, Release, key},
    release::ReadReleases,
    script::Here,
    session::{HostState, Observed},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What was read about the targets at the end.
pub(super) struct TargetPoolStates {
    /// A row for each host that was a target.
    pub table: Vec<HostRow>,
    /// Whether the state of a host that was changed is unknown.
    pub unknown: bool,
    /// Why the state of hosts in the balancer is unknown: each reason once.
    pub unread: Vec<Failure>,
}

/// Reads the state of every target, and its releases if the run did more than a `single` thing there; `well` is whether
/// all tasks succeeded.
pub(super) fn table(here: &Here, lane: &Arc<Lane>, well: bool, single: bool) -> TargetPoolStates {
    let observed = &here.session.observed;
    let targets = observed.targets();
    let touched = !here.session.run.line.is_empty() && !targets.is_empty();
    // If a run was to change something and didn't, its hosts aren't reported as `ok`.
    let only_read = well && !here.session.changed();
    let seen = targets.iter().filter(|(_, host)| only_read && observed.host(host).seen);
    let seen: BTreeSet<(Name, Name)> = seen.map(|(_, host)| key(host)).collect();
    let balances = if touched { balances(lane, &targets) } else { Balances::new() };
    left::tell(&here.session, lane, &balances, well);
    // A task that names hosts may have deployed to them, too.
    let unread = single && targets.iter().all(|(_, host)| observed.listing(host).is_none());
    let reads = if unread { targets.iter().map(|_| Ok(())).collect() } else { listings(here, lane, &targets) };
    learn_names(lane, observed, &targets, |fleet| !matches!(balances.get(&fleet.name), Some(Err(_))));
    let mut unknown = false;
    let mut unread: Vec<Failure> = balances.values().filter_map(|balance| balance.as_ref().err().cloned()).collect();
    // A machine with two apps has two rows.
    let called = |host: &Host| match targets.iter().filter(|(_, other)| other.name == host.name).count() {
        1 => host.name.clone(),
        _ => format!("{}/{}", host.fleet, host.name).into(),
    };
    let rows = targets.iter().zip(reads).map(|((fleet, host), read)| {
        let told = observed.host(host);
        let standing = match balances.get(&fleet.name) {
            None => PoolState::None,
            Some(Ok(balance)) => balance.standing(fleet, host).unwrap_or_else(|failure| {
                if !unread.contains(&failure) {
                    unread.push(failure);
                }
                PoolState::Unknown
            }),
            Some(Err(_)) => PoolState::Unknown,
        };
        let lost = read.is_err() && told.changed;
        unknown |= lost || (standing == PoolState::Unknown && told.drained);
        let result = match told.outcome() {
            Outcome::Untouched if seen.contains(&key(host)) => Outcome::Ok,
            outcome => outcome,
        };
        row(observed, called(host), standing, result, told, lost)
    });
    let table = rows.collect();
    TargetPoolStates { table, unknown, unread }
}

/// Makes the row of a host; `lost` means that its releases couldn't be read.
fn row(observed: &Observed, host: Name, balancer: PoolState, result: Outcome, told: HostState, lost: bool) -> HostRow {
    let release = |r: &Option<Option<Release>>| r.as_ref()?.as_ref().map(Release::to_string);
    let name = |r: &Option<Option<Release>>| observed.names.of(&r.as_ref()?.as_ref()?.commit);
    HostRow {
        host,
        old: release(&told.old),
        old_name: name(&told.old),
        new: if lost { None } else { release(&told.new) },
        new_name: if lost { None } else { name(&told.new) },
        balancer,
        result,
        note: told.failure.map(|f| f.message).or(told.note),
        looked: told.looked,
    }
}

/// Reads the state of each fleet's balancers, if it has any.
fn balances(lane: &Arc<Lane>, targets: &[(Arc<Fleet>, Host)]) -> Balances {
    let mut balances = BTreeMap::new();
    for (fleet, _) in targets {
        if !fleet.balancers.is_empty() && !balances.contains_key(&fleet.name) {
            balances.insert(fleet.name.clone(), lane.perform(ReadBalance::lately(fleet.clone())));
        }
    }
    balances
}

/// Reads the releases of every target that can be asked.
fn listings(here: &Here, lane: &Arc<Lane>, targets: &[(Arc<Fleet>, Host)]) -> Vec<Result<(), Failure>> {
    let hosts: Vec<_> = targets.iter().map(|(_, h)| h.clone()).collect();
    let closing = Here { lane: lane.clone(), ..here.clone() };
    let session = here.session.clone();
    fan_out::over(&closing, &hosts, move |lane, host| {
        let fleet = session.fleets.get(&host.fleet);
        let told = session.observed.host(host);
        let dead = told.failure.is_some_and(|f| f.reason() == Reason::Unreachable);
        let bare = fleet.app.is_none() || !fleet.releases_to(host);
        if bare || dead || told.left_alone && told.listing.is_none() {
            return Ok(());
        }
        // A host that was unreachable when the run began isn't waited for again.
        if let Some(failure) = told.unreachable.filter(|_| told.listing.is_none()) {
            return Err(failure.naming(&session.run.naming));
        }
        lane.perform(ReadReleases::of(&fleet, host)?).map(drop)
    })
}

/// Asks the ledgers for the names of the table's releases that the run didn't learn.
///
/// Without an answer the table shows their numbers.
fn learn_names(
    lane: &Arc<Lane>,
    observed: &Observed,
    targets: &[(Arc<Fleet>, Host)],
    answers: impl Fn(&Fleet) -> bool,
) {
    let mut unnamed: BTreeMap<Name, (Arc<Fleet>, Vec<Commit>)> = BTreeMap::new();
    for (fleet, host) in targets.iter().filter(|(fleet, _)| answers(fleet)) {
        let told = observed.host(host);
        for release in [told.old, told.new].into_iter().flatten().flatten() {
            let (_, commits) = unnamed.entry(fleet.name.clone()).or_insert_with(|| (fleet.clone(), Vec::new()));
            if observed.names.of(&release.commit).is_none() && !commits.contains(&release.commit) {
                commits.push(release.commit);
            }
        }
    }
    for (fleet, commits) in unnamed.into_values().filter(|(_, commits)| !commits.is_empty()) {
        let _ = lane.perform(Consult { fleet, question: Calling { commits } });
    }
}
