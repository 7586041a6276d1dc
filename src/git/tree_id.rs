//! Which tree a commit has.
use super::{
    GitError, Repository,
    process::{read, verb},
    reading::here,
    write::whole_commit,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads the id of a commit's tree: commits with the same one have the same files.
#[derive(Clone, Debug, Serialize)]
pub struct ReadTreeId {
    pub repository: String,
    pub commit: String,
}

impl Read for ReadTreeId {
    type Outcome = String;
    const NAME: &'static str = "read_tree_id";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("read the tree of {}", self.commit.get(..12).unwrap_or(&self.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        Ok(self.ask(&Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?)?)
    }

    /// The tree of a commit that only the model has differs from all others.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        let repository = here(&self.repository)?;
        if model.prepared.parents(&self.commit).is_some() {
            return Ok(self.commit.clone());
        }
        Ok(self.ask(&repository).map_err(Failure::from)?)
    }
}

impl ReadTreeId {
    fn ask(&self, repository: &Repository) -> Result<String, GitError> {
        let tree = format!("{}^{{tree}}", whole_commit(&self.commit)?);
        let args = ["rev-parse", "--verify", "--quiet", &tree];
        let (ended, out) = read(repository, &args, "")?;
        if ended.ok {
            Ok(String::from_utf8_lossy(&out).trim().to_owned())
        } else {
            Err(GitError::Git { what: verb(&args), why: ended.why() })
        }
    }
}
