//! The effects of earlier attempts by their lanes, and how lanes lie in each other.
use super::PastEffect;
use crate::host::Name;
use std::collections::BTreeMap;

/// Effects by lane and number.
pub type Lanes = BTreeMap<Name, BTreeMap<u32, PastEffect>>;

/// The number of the fork of a lane that another lane is below; none if it is below no fork of it.
pub fn below(lane: &str, other: &str) -> Option<u32> {
    let rest = if lane.is_empty() { other } else { other.strip_prefix(lane)?.strip_prefix('/')? };
    rest.split('.').next()?.parse().ok()
}

/// How many lanes a lane is below.
pub fn depth(lane: &str) -> usize {
    if lane.is_empty() { 0 } else { lane.matches('/').count() + 1 }
}

/// The lane that a lane is in, so many below the first.
pub fn first(lane: &str, depth: usize) -> &str {
    lane.match_indices('/').nth(depth - 1).map_or(lane, |(at, _)| &lane[..at])
}

/// The lane that forked a lane.
pub fn parent(lane: &str) -> &str {
    lane.rsplit_once('/').map_or("", |(parent, _)| parent)
}
