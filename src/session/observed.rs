//! What a run has seen and done so far, by host.
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

/// The note for a host that is healthy, but with an unknown version.
pub(super) const UNPROVEN: &str = "version not proven";

/// The layer, and what it noted.
#[derive(Default)]
pub struct Observed {
    pub(super) seen: Mutex<SeenState>,
    /// What people call the releases.
    pub names: CommitNames,
}

#[derive(Default)]
pub(super) struct SeenState {
    pub(super) told: BTreeMap<(Name, Name), HostState>,
    /// The hosts' state in the balancer, as last reported.
    pub(super) places: BTreeMap<(Name, Name), HostPlace>,
    pub(super) epochs: BTreeMap<Name, String>,
    commit: Option<(String, Commit)>,
    resolved: BTreeMap<(Name, String), Resolved>,
    targets: Vec<(Arc<Fleet>, Host)>,
    left_out: Vec<LeftOut>,
    next: Vec<String>,
    /// Whether a person acts now, so that the line is typed again: a resumed run would answer with what was before.
    typed_again: bool,
    locked: BTreeSet<Name>,
    unfinished: BTreeSet<Name>,
    /// Whether something that may be done only once was done here, or may have been.
    pub(super) once_here: bool,
    /// The guarded fleet that lacks a yes.
    unsaid: Option<Name>,
    overtaken: bool,
    /// The commits with trees that were checked, each with its fleet.
    checked: BTreeSet<(Name, Commit)>,
    /// The commits that passed the gate, each with the branch and the fleet that have the rules.
    passed: BTreeSet<[String; 3]>,
}

impl Observed {
    /// Returns what the run knows about a host.
    pub fn host(&self, host: &Host) -> HostState {
        self.seen.lock().unwrap().told.get(&key(host)).cloned().unwrap_or_default()
    }

    /// Notes something about a host.
    pub(super) fn note(&self, host: &Host, f: impl FnOnce(&mut HostState)) {
        f(self.seen.lock().unwrap().told.entry(key(host)).or_default());
    }

    /// Notes that hosts were left unchanged and need a person: the run exits with code 8.
    ///
    /// Returns false if that was noted before: many calls may find the same problem of a balancer, and one reports it.
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

    /// Notes that the run has a fleet's lock.
    pub fn locked(&self, fleet: &Name) {
        self.seen.lock().unwrap().locked.insert(fleet.clone());
    }

    /// Returns whether that run wasn't reported yet, and notes that it is.
    pub fn first_told_of(&self, run: &Name) -> bool {
        self.seen.lock().unwrap().unfinished.insert(run.clone())
    }

    pub fn has_lock(&self, fleet: &Name) -> bool {
        self.seen.lock().unwrap().locked.contains(fleet)
    }

    /// Returns whether the run changed any host, or may have.
    pub fn changed(&self) -> bool {
        self.seen.lock().unwrap().told.values().any(|told| told.changed || told.doubtful)
    }

    /// Returns whether the run did something on no host that may be done only once, or may have.
    pub fn did_once(&self) -> bool {
        self.seen.lock().unwrap().once_here
    }

    /// Notes that a guarded fleet lacks a yes.
    pub fn wants_yes(&self, fleet: &Name) {
        self.seen.lock().unwrap().unsaid.get_or_insert_with(|| fleet.clone());
    }

    /// Returns the guarded fleet that lacks a yes.
    pub fn unsaid(&self) -> Option<Name> {
        self.seen.lock().unwrap().unsaid.clone()
    }

    /// Notes that another run changed a fleet after the run that this one resumes or aborts.
    pub fn was_overtaken(&self) {
        self.seen.lock().unwrap().overtaken = true;
    }

    pub fn overtaken(&self) -> bool {
        self.seen.lock().unwrap().overtaken
    }

    /// Returns whether a commit's tree wasn't checked for a fleet yet, and notes that it is.
    pub fn first_check(&self, fleet: &Name, commit: &Commit) -> bool {
        self.seen.lock().unwrap().checked.insert((fleet.clone(), commit.clone()))
    }

    /// Notes that a commit passed the gate by the rules of a branch and a fleet.
    pub fn passes(&self, rules: [String; 3]) {
        self.seen.lock().unwrap().passed.insert(rules);
    }

    pub fn has_passed(&self, rules: &[String; 3]) -> bool {
        self.seen.lock().unwrap().passed.contains(rules)
    }

    /// Adds a line to type next, as a script suggests.
    pub fn next(&self, line: &str) {
        self.seen.lock().unwrap().next.push(line.to_owned());
    }

    /// Notes that the line is typed again after this, and not resumed.
    pub fn type_again(&self) {
        self.seen.lock().unwrap().typed_again = true;
    }

    pub fn is_typed_again(&self) -> bool {
        self.seen.lock().unwrap().typed_again
    }

    pub fn all_next(&self) -> Vec<String> {
        self.seen.lock().unwrap().next.clone()
    }

    /// Keeps the meaning of a reference for the rest of the run.
    pub fn resolve(&self, fleet: &Name, reference: &str, resolved: &Resolved) {
        self.names.learn(&resolved.commit, resolved.tag.as_ref().unwrap_or(&resolved.name));
        let mut seen = self.seen.lock().unwrap();
        seen.commit = Some((resolved.name.clone(), Commit::from(&*resolved.commit)));
        seen.resolved.insert((fleet.clone(), reference.to_owned()), resolved.clone());
    }

    pub fn resolved(&self, fleet: &Name, reference: &str) -> Option<Resolved> {
        self.seen.lock().unwrap().resolved.get(&(fleet.clone(), reference.to_owned())).cloned()
    }

    /// Notes that hosts became targets: they are in the closing table.
    pub fn target(&self, fleet: &Arc<Fleet>, hosts: &[Host]) {
        let mut seen = self.seen.lock().unwrap();
        for host in hosts {
            if !seen.targets.iter().any(|(_, h)| h == host) {
                seen.targets.push((fleet.clone(), host.clone()));
            }
        }
    }

    /// Returns every host that was a target, in the order of their fleets.
    pub fn targets(&self) -> Vec<(Arc<Fleet>, Host)> {
        self.seen.lock().unwrap().targets.clone()
    }

    pub fn pinned(&self) -> Option<(String, Commit)> {
        self.seen.lock().unwrap().commit.clone()
    }

    /// Returns the balancers' epochs, as last seen.
    pub fn epochs(&self) -> BTreeMap<Name, String> {
        self.seen.lock().unwrap().epochs.clone()
    }
}
