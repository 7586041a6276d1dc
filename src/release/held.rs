//! The releases that hosts hold, as far as this run knows.
use super::{Current, Home, Listed, ListedRelease, Packing};
use crate::host::{Host, Name};
use std::{collections::BTreeMap, sync::Mutex};

/// The releases that hosts hold, as far as this run knows. What a host really holds is proven there.
#[derive(Default)]
pub(super) struct HeldReleases(Mutex<BTreeMap<(Name, Name, String), Held>>);

/// What a host listed.
#[derive(Clone, Default)]
pub(super) struct Held {
    /// The best one to build upon comes first.
    pub releases: Vec<ListedRelease>,
    pub packing: Packing,
    /// Whether it can take files from an earlier release.
    pub copies: bool,
    pub patches: bool,
}

impl HeldReleases {
    /// Remembers what a host listed.
    pub(super) fn remember(&self, host: &Host, home: &Home, listed: &Listed) {
        let mut releases = listed.releases.clone();
        releases.sort_by_key(|release| listed.current != Current::Release(release.name.clone()));
        let held = Held { releases, packing: listed.packing, copies: listed.copies, patches: listed.patches };
        self.0.lock().unwrap().insert(key(host, home), held);
    }

    /// Forgets a host's releases, because they changed.
    pub(super) fn forget(&self, host: &Host, home: &Home) {
        self.0.lock().unwrap().remove(&key(host, home));
    }

    /// Returns what a host listed in this run.
    pub(super) fn of(&self, host: &Host, home: &Home) -> Option<Held> {
        self.0.lock().unwrap().get(&key(host, home)).cloned()
    }
}

fn key(host: &Host, home: &Home) -> (Name, Name, String) {
    (host.fleet.clone(), host.name.clone(), home.path.clone())
}
