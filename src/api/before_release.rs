//! What comes before a release: whose commit is in progress, and whether a host can take one.
use super::{HostValue, git::CommitValue};
use crate::{
    balancer::ReadBalance,
    event::Standing,
    failure::Failure,
    fan,
    ledger::ReadLedger,
    model::Commit,
    release::{Lacks, Preflight, ReadReleases},
    script::{Here, RhaiResultOf, Targets, thrown},
};

/// The commit that a roll over the fleet's groups is in the middle of: it is the newest in the ledger, a live host
/// serves it, and another host of a pool does not yet.
pub fn in_progress(here: &Here, targets: &Targets) -> RhaiResultOf<Option<CommitValue>> {
    let fleet = &targets.fleet;
    if fleet.deploy_live || fleet.balancers.is_empty() {
        return Ok(None);
    }
    let book = here.perform(ReadLedger { fleet: fleet.clone() })?;
    let Some(newest) = book.newest() else { return Ok(None) };
    let Some(commit) = newest.commit.clone() else { return Ok(None) };
    let balance = here.perform(ReadBalance { fleet: fleet.clone() })?;
    let (mut counted, excluded) = (Vec::new(), here.excluded(fleet));
    let pooled = |h: &&crate::host::Host| !crate::balancer::places(fleet, h).is_empty() && !excluded.contains(h);
    for host in fleet.hosts.iter().filter(pooled) {
        let out = balance.standing(fleet, host).map_err(thrown)? == Standing::Out;
        if !out || here.session.run.may_end(&book, &host.name) {
            counted.push((host.clone(), out));
        }
    }
    let hosts: Vec<_> = counted.iter().map(|(host, _)| host.clone()).collect();
    let of = fleet.clone();
    let listings = fan::over(here, &hosts, move |lane, host| lane.perform(ReadReleases::of(&of, host)?));
    let (mut live_has_it, mut another_has_not) = (false, false);
    for (listing, (_, out)) in listings.into_iter().zip(counted) {
        let has = listing.map_err(thrown)?.current.is_some_and(|r| r.is_of(&commit));
        live_has_it |= has && !out;
        another_has_not |= !has;
    }
    let name = newest.reason.clone().unwrap_or_else(|| commit.to_string());
    Ok((live_has_it && another_has_not).then(|| CommitValue::of(commit, name.clone(), Some(name))))
}

/// Fails with all that keeps a release from being staged on a host.
pub fn looked_at(here: &Here, host: HostValue, commit: Option<Commit>) -> RhaiResultOf<()> {
    let host = host.0.host;
    let fleet = here.fleet_of(&host);
    let look = Preflight::of(&fleet, &host).map_err(thrown)?;
    let path = look.home.path.clone();
    let Lacks { mut problems, files } = here.perform(Preflight { commit, ..look })?;
    let folders = "nothing was changed; folders are made by the task `setup`".to_owned();
    let help = files.first().map_or(folders, |file| {
        format!(
            "nothing was changed; have `setup` make it by `release::share(host, \"{file}\", …)`, or make it by hand: \
             `scp FILE {host}:{path}/shared/{file}`"
        )
    });
    problems.extend(files.iter().map(|file| format!("`shared/{file}` is missing, and is linked into each release")));
    if problems.is_empty() {
        return here.perform(ReadReleases::of(&fleet, &host).map_err(thrown)?).map(drop);
    }
    Err(thrown(Failure::failed(format!("host `{host}`: {}", problems.join("; "))).on(&host.name).help(help)))
}
