//! A host of the model.
use super::{Commit, Fact, Predicted, Release, Time};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How a command ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelOutput {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// What the model knows about a host.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub releases: Fact<BTreeSet<Release>>,
    pub current: Fact<Option<Release>>,
    /// The target of `current`, if it belongs to another tool.
    pub foreign: Option<String>,
    /// The commit in the other tool's `REVISION`.
    pub revision: Option<String>,
    /// Releases that differ from the tree of their commit, with the digest of their manifest.
    pub made: BTreeMap<Release, String>,
    /// The commit that the service runs.
    pub running: Fact<Option<Commit>>,
    /// The installed version of its package, if it has one.
    pub installed: Option<String>,
    /// When the service starts to answer; `None` while it's stopped.
    pub up_at: Fact<Option<Time>>,
    /// Whether the app's folders exist.
    pub set_up: Fact<bool>,
    /// Releases that somebody changed after they were staged.
    pub damaged: BTreeSet<Release>,
    /// How commands end, by their text for people. In the simulator, all others end well and print nothing.
    pub says: Fact<BTreeMap<String, ModelOutput>>,
    /// Whether its disk is full.
    pub full: bool,
    /// Contents by path; `None` if the file doesn't exist.
    pub files: BTreeMap<String, Fact<Option<Vec<u8>>>>,
    /// Folders that the run put there.
    pub folders: BTreeSet<String>,
    /// Links that another user can change: nothing is written through them.
    pub links: BTreeSet<String>,
    /// The wrapper's notes of commands: id and exit status.
    pub ended: BTreeMap<String, i32>,
    /// Calls that began and left no end, because the machine was restarted.
    pub lost: BTreeSet<String>,
    /// Commands that changed something, in order.
    pub changes: Vec<String>,
    pub restarts: u32,
    pub ledger: Vec<String>,
}

impl Machine {
    /// Builds a host that serves a release.
    pub fn serving(release: &Release) -> Self {
        Self {
            releases: Fact::Told([release.clone()].into()),
            current: Fact::Told(Some(release.clone())),
            running: Fact::Told(Some(release.commit.clone())),
            up_at: Fact::Told(Some(0)),
            set_up: Fact::Told(true),
            ..Self::bare()
        }
    }

    /// Builds a host with nothing on it.
    pub fn bare() -> Self {
        Self {
            releases: Fact::Told(BTreeSet::new()),
            current: Fact::Told(None),
            running: Fact::Told(None),
            up_at: Fact::Told(None),
            set_up: Fact::Told(false),
            says: Fact::Told(BTreeMap::new()),
            ..Self::default()
        }
    }

    /// Returns how a command ends; `None` if that isn't set.
    pub fn said(&self, command: &str) -> Predicted<Option<ModelOutput>> {
        Ok(self.says.get("how a command ends")?.get(command).cloned())
    }

    pub(super) fn end_state(&self) -> String {
        let show = |r: Option<&Option<Release>>| r.and_then(Option::as_ref).map_or("none".into(), Release::to_string);
        let releases = self.releases.get("").ok().map(|r| r.iter().map(Release::to_string).collect::<Vec<_>>());
        format!(
            "{:?} current {} running {:?} up {} restarts {} changes {:?}",
            releases.unwrap_or_default(),
            show(self.current.get("").ok()),
            self.running.get("").ok(),
            self.up_at.get("").is_ok_and(Option::is_some),
            self.restarts,
            self.changes,
        )
    }
}
