//! A release as a script holds it.
use super::git::CommitValue;
use crate::model::Release;

/// A commit's tree under its number in the fleet, as a script holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReleaseValue {
    pub tree: Release,
    /// What the user called the commit.
    pub name: String,
    pub tag: Option<String>,
    /// Other names that a service may report.
    pub names: Vec<String>,
    /// The digest of the manifest of what replaces the commit's tree.
    pub built: Option<String>,
}

impl ReleaseValue {
    /// Returns a commit under its number.
    pub(super) fn of(number: u32, commit: CommitValue) -> Self {
        let CommitValue { commit, name, tag, names, built, .. } = commit;
        Self { tree: Release { number, commit }, name, tag, names, built }
    }
}

impl From<ReleaseValue> for CommitValue {
    fn from(ReleaseValue { tree, name, tag, names, built }: ReleaseValue) -> Self {
        Self { built, names, ..Self::of(tree.commit, name, tag) }
    }
}
