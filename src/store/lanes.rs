//! The effects of earlier attempts by lane, and how lanes are nested.
use super::PastEffect;
use crate::host::Name;
use std::collections::BTreeMap;

/// Effects by lane and number.
pub(super) type Lanes = BTreeMap<Name, BTreeMap<u32, PastEffect>>;

/// Returns the number of the fork of `lane` that `other` is below; none if it isn't below any.
pub fn below(lane: &str, other: &str) -> Option<u32> {
    let rest = if lane.is_empty() { other } else { other.strip_prefix(lane)?.strip_prefix('/')? };
    rest.split('.').next()?.parse().ok()
}

/// Returns how many lanes a lane is below.
pub(super) fn depth(lane: &str) -> usize {
    if lane.is_empty() { 0 } else { lane.matches('/').count() + 1 }
}

/// Returns the ancestor of a lane at the given depth.
pub(super) fn first(lane: &str, depth: usize) -> &str {
    lane.match_indices('/').nth(depth - 1).map_or(lane, |(at, _)| &lane[..at])
}

/// Returns the lane that forked a lane.
pub(super) fn parent(lane: &str) -> &str {
    lane.rsplit_once('/').map_or("", |(parent, _)| parent)
}
