//! A release as a script holds it.
use super::git::CommitValue;
use crate::model::Release;

/// A commit's tree under the number that the fleet gave it, as a script holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseValue {
    pub tree: Release,
    /// What the commit was called.
    pub name: String,
    pub tag: Option<String>,
    /// What else a service may call it.
    pub names: Vec<String>,
    /// The digest of the manifest of what takes the place of the commit's tree.
    pub made: Option<String>,
}

impl ReleaseValue {
    /// A commit under its number.
    pub fn of(number: u32, commit: CommitValue) -> Self {
        let CommitValue { commit, name, tag, names, made, .. } = commit;
        Self { tree: Release { number, commit }, name, tag, names, made }
    }
}

impl From<ReleaseValue> for CommitValue {
    fn from(ReleaseValue { tree, name, tag, names, made }: ReleaseValue) -> Self {
        Self { made, names, ..Self::of(tree.commit, name, tag) }
    }
}
