//! What a run has seen and done so far, host by host.
use super::{CommitNames, HostState, LeftOut};
use crate::{
    event::HostPlace,
    fleet::Fleet,
    git::Resolved,
    host::{Host, Name},
    model::{Commit, key},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// What is noted of a host that is healthy while nothing tells which version it serves.
pub const UNPROVEN: &str = "version not proven";

/// The layer, and what it noted down.
#[derive(Default)]
pub struct Observed {
    pub(super) seen: Mutex<SeenState>,
    /// What people call the releases.
    pub names: CommitNames,
}

#[derive(Default)]
pub(super) struct SeenState {
    pub(super) told: BTreeMap<(Name, Name), HostState>,
    /// How hosts stand in the balancer, as last told.
    pub(super) places: BTreeMap<(Name, Name), HostPlace>,
    pub(super) epochs: BTreeMap<Name, String>,
    commit: Option<(String, Commit)>,
    resolved: BTreeMap<(Name, String), Resolved>,
    targets: Vec<(Arc<Fleet>, Host)>,
    left_out: Vec<LeftOut>,
    next: Vec<String>,
    locked: BTreeSet<Name>,
    unfinished: BTreeSet<Name>,
    /// Whether something was done here, or may have been, that may be done only once.
    pub(super) once_here: bool,
    /// The guarded fleet that nobody said yes to.
    unsaid: Option<Name>,
    overtaken: bool,
}

impl Observed {
    /// What the run knows of a host.
    pub fn host(&self, host: &Host) -> HostState {
        self.seen.lock().unwrap().told.get(&key(host)).cloned().unwrap_or_default()
    }

    /// Notes something of a host.
    pub(super) fn note(&self, host: &Host, f: impl FnOnce(&mut HostState)) {
        f(self.seen.lock().unwrap().told.entry(key(host)).or_default());
    }

    /// Hosts were left as they are and need a person: the run ends with exit code 8.
    ///
    /// False if that was said before: what a balancer lacks is met by each call that asks it, and said once.
    pub fn left_out(&self, left: LeftOut) -> bool {
        let mut seen = self.seen.lock().unwrap();
        let new = !seen.left_out.iter().any(|known| known.is_like(&left));
        if new {
            seen.left_out.push(left);
        }
        new
    }

    pub fn all_left_out(&self) -> Vec<LeftOut> {
        self.seen.lock().unwrap().left_out.clone()
    }

    /// The run has a fleet's lock.
    pub fn locked(&self, fleet: &Name) {
        self.seen.lock().unwrap().locked.insert(fleet.clone());
    }

    /// Whether nobody was told of that run yet.
    pub fn first_told_of(&self, run: &Name) -> bool {
        self.seen.lock().unwrap().unfinished.insert(run.clone())
    }

    pub fn has_lock(&self, fleet: &Name) -> bool {
        self.seen.lock().unwrap().locked.contains(fleet)
    }

    /// Whether the run changed any host, or may have.
    pub fn changed(&self) -> bool {
        self.seen.lock().unwrap().told.values().any(|told| told.changed || told.doubtful)
    }

    /// Whether it did something on no host, or may have, that may be done only once.
    pub fn did_once(&self) -> bool {
        self.seen.lock().unwrap().once_here
    }

    /// Nobody said yes to changing a guarded fleet.
    pub fn wants_yes(&self, fleet: &Name) {
        self.seen.lock().unwrap().unsaid.get_or_insert_with(|| fleet.clone());
    }

    /// The guarded fleet that nobody said yes to.
    pub fn unsaid(&self) -> Option<Name> {
        self.seen.lock().unwrap().unsaid.clone()
    }

    /// Another run changed a fleet since the run that this one goes on with, or takes back.
    pub fn was_overtaken(&self) {
        self.seen.lock().unwrap().overtaken = true;
    }

    pub fn overtaken(&self) -> bool {
        self.seen.lock().unwrap().overtaken
    }

    /// What should be typed next, as a script says.
    pub fn next(&self, line: &str) {
        self.seen.lock().unwrap().next.push(line.to_owned());
    }

    pub fn all_next(&self) -> Vec<String> {
        self.seen.lock().unwrap().next.clone()
    }

    /// Keeps what a reference means for the rest of the run.
    pub fn resolve(&self, fleet: &Name, reference: &str, resolved: &Resolved) {
        self.names.learn(&resolved.commit, resolved.tag.as_ref().unwrap_or(&resolved.name));
        let mut seen = self.seen.lock().unwrap();
        seen.commit = Some((resolved.name.clone(), Commit::from(&*resolved.commit)));
        seen.resolved.insert((fleet.clone(), reference.to_owned()), resolved.clone());
    }

    pub fn resolved(&self, fleet: &Name, reference: &str) -> Option<Resolved> {
        self.seen.lock().unwrap().resolved.get(&(fleet.clone(), reference.to_owned())).cloned()
    }

    /// Hosts became targets: they are in the closing table.
    pub fn target(&self, fleet: &Arc<Fleet>, hosts: &[Host]) {
        let mut seen = self.seen.lock().unwrap();
        for host in hosts {
            if !seen.targets.iter().any(|(_, h)| h == host) {
                seen.targets.push((fleet.clone(), host.clone()));
            }
        }
    }

    /// Every host that was a target, in the order of their fleets.
    pub fn targets(&self) -> Vec<(Arc<Fleet>, Host)> {
        self.seen.lock().unwrap().targets.clone()
    }

    pub fn pinned(&self) -> Option<(String, Commit)> {
        self.seen.lock().unwrap().commit.clone()
    }

    /// The balancers' epochs, as last seen.
    pub fn epochs(&self) -> BTreeMap<Name, String> {
        self.seen.lock().unwrap().epochs.clone()
    }
}
