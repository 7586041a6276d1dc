//! The parents of a commit.
use super::{GitError, Repository, reading::here, work_tree::ask, write::whole_commit};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads the parents of a commit, in git's order: of a merge, the second one is what was merged.
#[derive(Clone, Debug, Serialize)]
pub struct ReadParents {
    pub repository: String,
    pub commit: String,
}

impl Read for ReadParents {
    type Outcome = Vec<String>;
    const NAME: &'static str = "read_parents";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read the parents of {}", self.commit.get(..12).unwrap_or(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        Ok(parents(&Repository::of(&self.repository, &at)?, &self.commit)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<String>> {
        if let Some(parents) = parents_in(model, &self.repository, &self.commit) {
            return Ok(parents);
        }
        Ok(parents(&here(&self.repository)?, &self.commit).map_err(Failure::from)?)
    }
}

/// Returns the parents of a commit.
pub fn parents(repository: &Repository, commit: &str) -> Result<Vec<String>, GitError> {
    let commit = whole_commit(commit)?;
    let told = ask(repository, &["rev-list", "--parents", "--max-count=1", commit, "--"])?;
    Ok(told.split_whitespace().skip(1).map(str::to_owned).collect())
}

/// Returns the parents of a commit that only the model has.
pub(super) fn parents_in(model: &Model, repository: &str, commit: &str) -> Option<Vec<String>> {
    let merged = || model.prepared.parents(commit).map(<[String]>::to_vec);
    let made = model.commits.get(&(repository.to_owned(), commit.into()));
    made.map(|made| vec![made.parent.to_string()]).or_else(merged)
}
