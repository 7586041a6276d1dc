//! Whether a commit is in the history of another.
use super::{Repository, open::OpenRepository, reading::here, write::whole_commit};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads whether a commit is another, or an ancestor of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReadContains {
    pub repository: String,
    pub commit: String,
    pub ancestor: String,
}

impl Read for ReadContains {
    type Outcome = bool;
    const NAME: &'static str = "read_contains";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
        format!("check whether {} contains {}", short(&self.commit), short(&self.ancestor))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        self.read(&Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?)
    }

    fn predict(&self, _: &mut Model) -> Predicted<bool> {
        Ok(self.read(&here(&self.repository)?)?)
    }
}

impl ReadContains {
    fn read(&self, repository: &Repository) -> Result<bool, Failure> {
        let (commit, ancestor) = (whole_commit(&self.commit)?, whole_commit(&self.ancestor)?);
        Ok(OpenRepository::of(repository)?.ahead(ancestor, commit)? == 0)
    }
}
