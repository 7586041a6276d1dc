//! Commits that a simulated run makes in repositories.
use super::{Commit, Model};
use std::collections::BTreeMap;

/// A commit that only the model has.
#[derive(Clone, Debug)]
pub struct PredictedCommit {
    pub parent: Commit,
    /// The texts of the files that it changes, by path.
    pub files: BTreeMap<String, String>,
}

impl Model {
    /// Returns the real commit that a commit comes from, and the files that the run changed between the two.
    pub fn made_since(&self, repository: &str, commit: &str) -> (Commit, BTreeMap<String, String>) {
        let (mut at, mut files): (Commit, _) = (commit.into(), BTreeMap::new());
        while let Some(made) = self.commits.get(&(repository.to_owned(), at.clone())) {
            // What a later commit changed counts.
            let earlier = made.files.clone().into_iter().filter(|(path, _)| !files.contains_key(path));
            files.extend(earlier.collect::<Vec<_>>());
            at = made.parent.clone();
        }
        (at, files)
    }
}
