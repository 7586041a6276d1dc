//! What hosts had before a run, handed to the script that takes the run back.
use super::release::ReleaseValue;
use crate::{
    host::Host,
    script::{Here, RhaiResultOf},
    session::Was,
};
use rhai::{Dynamic, Map};

/// Has `std/abort` take back what a run did to the targets.
pub fn abort(here: &Here, changed: &[(Host, Was)]) -> RhaiResultOf<()> {
    let before = changed.iter().map(|(host, was)| (host.name.as_ref().into(), Dynamic::from(map(was))));
    here.script.clone().abort(here, before.collect())
}

fn map(was: &Was) -> Map {
    let release = was.release.clone().map(|tree| ReleaseValue { name: tree.to_string(), tree, tag: None, made: None });
    let mut map = Map::new();
    map.insert("release".into(), release.map_or(Dynamic::UNIT, Dynamic::from));
    map.insert("live".into(), was.live.into());
    map.insert("switched".into(), was.switched.into());
    map
}
