//! The releases that hosts hold, as far as this run knows.
use super::{Home, Listed, ListedRelease};
use crate::host::{Host, Name};
use std::{collections::BTreeMap, sync::Mutex};

/// The releases that hosts hold, as far as this run knows. What a host really holds is proven there.
#[derive(Default)]
pub(super) struct HeldReleases(Mutex<BTreeMap<(Name, Name, String), Vec<ListedRelease>>>);

impl HeldReleases {
    /// Remembers what a host listed; the best one to build upon comes first.
    pub(super) fn remember(&self, host: &Host, home: &Home, listed: &Listed) {
        let mut releases = listed.releases.clone();
        releases.sort_by_key(|release| listed.current != super::Current::Release(release.name.clone()));
        self.0.lock().unwrap().insert(key(host, home), releases);
    }

    /// Forgets a host's releases, because they changed.
    pub(super) fn forget(&self, host: &Host, home: &Home) {
        self.0.lock().unwrap().remove(&key(host, home));
    }

    /// Returns the releases that a host listed in this run.
    pub(super) fn of(&self, host: &Host, home: &Home) -> Option<Vec<ListedRelease>> {
        self.0.lock().unwrap().get(&key(host, home)).cloned()
    }
}

fn key(host: &Host, home: &Home) -> (Name, Name, String) {
    (host.fleet.clone(), host.name.clone(), home.path.clone())
}
