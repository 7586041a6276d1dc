//! The state of hosts before a run, passed to the script that undoes the run.
use super::release_value::ReleaseValue;
use crate::{
    bookkeeping::{Consult, ReasonsBefore},
    fleet::Fleet,
    host::Host,
    model::Release,
    script::{Here, RhaiResultOf},
    session::HostBefore,
};
use rhai::{Dynamic, Map};
use std::{collections::BTreeMap, sync::Arc};

/// Makes `std/abort` undo what a run did to the targets.
pub fn abort(here: &Here, fleet: &Arc<Fleet>, changed: &[(Host, HostBefore)]) -> RhaiResultOf<()> {
    let hosts = changed.iter().map(|(host, _)| host.name.clone()).collect();
    let reasons = match here.session.run.undoes.clone() {
        Some(run) => here.perform(Consult { fleet: fleet.clone(), question: ReasonsBefore { run, hosts } })?,
        None => BTreeMap::new(),
    };
    let reason = |host: &Host| reasons.get(&host.name).map_or("as before", String::as_str).to_owned();
    let before = changed.iter().map(|(host, was)| (host.name.as_ref().into(), Dynamic::from(map(was, reason(host)))));
    here.script.clone().abort(here, before.collect())
}

fn map(was: &HostBefore, reason: String) -> Map {
    let value =
        |tree: Release| ReleaseValue { name: tree.to_string(), tree, tag: None, names: Vec::new(), built: None };
    let release = was.release.clone().map(value);
    let mut map = Map::new();
    map.insert("release".into(), release.map_or(Dynamic::UNIT, Dynamic::from));
    map.insert("live".into(), was.live.into());
    map.insert("switched".into(), was.switched.into());
    map.insert("reason".into(), reason.into());
    map
}
