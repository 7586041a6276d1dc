//! Reads the version in a file of a repository, as an effect.
use super::snapshot::Snapshot;
use crate::{
    effect::*,
    failure::Failure,
    fleet::VersionFile,
    git::{Repository, here},
    model::{Model, Predicted},
};
use serde::Serialize;

/// Reads the version in a file, in the work tree or at a commit.
#[derive(Clone, Debug, Serialize)]
pub struct ReadVersion {
    pub repository: String,
    pub file: VersionFile,
    /// The whole id of the commit; `None` for the work tree.
    pub commit: Option<String>,
}

impl Read for ReadVersion {
    type Outcome = String;
    const NAME: &'static str = "read_version";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        let at = self.commit.as_deref().map(|commit| format!(" at {}", commit.get(..12).unwrap_or(commit)));
        format!("read the version in {}{}", self.file.file, at.unwrap_or_default())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Snapshot::of(&repository, self.commit.as_deref())?.version(&self.file)
    }

    /// A dry run reads the real files, and what it wrote itself.
    fn predict(&self, model: &mut Model) -> Predicted<String> {
        let repository = here(&self.repository)?;
        let commit = self.commit.as_deref();
        Ok(Snapshot::simulated(&repository, &self.repository, commit, model)?.version(&self.file)?)
    }
}
