//! The releases of a host as scripts see them.
use super::{HostValue, git::CommitValue, release_value::ReleaseValue};
use crate::{
    bookkeeping::{Consult, Switched},
    control::shown,
    model::Release,
    release::{Adopt, Adopted, Home, Listing, ReadReleases, Verify},
    script::{Here, RhaiResultOf, thrown},
};
use rhai::{Dynamic, Map};

/// Reads a host's releases.
pub(super) fn read(here: &Here, host: &HostValue) -> RhaiResultOf<Listing> {
    let fleet = here.fleet_of(&host.0.host);
    here.perform(ReadReleases::of(&fleet, &host.0.host).map_err(thrown)?)
}

/// Returns a host's releases as a map.
pub(super) fn listed(here: &Here, host: HostValue) -> RhaiResultOf<Map> {
    let listing = read(here, &host)?;
    let text = |r: Option<&Release>| r.map_or(Dynamic::UNIT, |r| r.to_string().into());
    let mut map = Map::new();
    map.insert("current".into(), text(listing.current.as_ref()));
    map.insert("previous".into(), text(listing.previous()));
    let all: rhai::Array = listing.releases.iter().map(|r| r.to_string().into()).collect();
    map.insert("all".into(), all.into());
    map.insert("set_up".into(), listing.set_up.into());
    let foreign = listing.foreign.map_or(Dynamic::UNIT, |target| shown(&target).into());
    map.insert("foreign".into(), foreign);
    Ok(map)
}

/// Returns a host's current release under the name that `names` has for its commit.
pub(super) fn current_of(here: &Here, host: HostValue, names: Map) -> RhaiResultOf<Dynamic> {
    let listing = read(here, &host)?;
    let Some(tree) = listing.current else { return Ok(Dynamic::UNIT) };
    let known = names.into_iter().find(|(commit, _)| tree.is_of(commit)).map(|(_, name)| name.to_string());
    let name = known.clone().unwrap_or_else(|| tree.commit[..tree.commit.len().min(12)].to_owned());
    Ok(Dynamic::from(ReleaseValue { tree, name, tag: known, names: Vec::new(), built: None }))
}

/// Returns the files that differ in a host's staged release, or `()` if it isn't staged.
pub(super) fn verified(here: &Here, host: HostValue, commit: CommitValue) -> RhaiResultOf<Dynamic> {
    let listing = read(here, &host)?;
    let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
    let Some(release) = listing.of(&commit.commit).cloned() else { return Ok(Dynamic::UNIT) };
    let home = Home::of(&fleet, &host).map_err(thrown)?;
    let differ = here.perform(Verify { host, release, home })?;
    Ok(differ.into_iter().map(Dynamic::from).collect::<rhai::Array>().into())
}

/// Returns whether a commit is a host's current release and the last switch was to it and finished.
pub(super) fn completed(here: &Here, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
    let Some(current) = read(here, &host)?.current.filter(|r| r.is_of(&commit.commit)) else { return Ok(false) };
    let question = Switched { host: host.0.host.name.clone(), commit: commit.commit, number: current.number };
    here.perform(Consult { fleet: here.fleet_of(&host.0.host), question })
}

/// Adopts the folder of another tool, and returns what it contains as a map.
pub(super) fn adopted(here: &Here, host: HostValue) -> RhaiResultOf<Map> {
    let home = Home::of(&here.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?;
    let Adopted { tool, current, commit, others } = here.perform(Adopt { host: host.0.host, home })?;
    let text = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    let (tool, current, commit) = (text(tool), text(current), text(commit));
    let pairs = [("tool", tool), ("current", current), ("commit", commit), ("others", (others as i64).into())];
    Ok(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
}
