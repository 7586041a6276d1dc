//! Checks a commit's tree before anything is sent or locked.
use super::{name::short, packing::pack, tree};
use crate::{
    effect::*,
    failure::Failure,
    fleet::TreeRules,
    git::Repository,
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::path::Path;

/// Fails if a commit's tree can't be released, and finds the files of it that are still encrypted.
#[derive(Clone, Debug, Serialize)]
pub struct CheckTree {
    pub repository: String,
    pub commit: Commit,
    #[serde(flatten)]
    pub rules: TreeRules,
}

impl Read for CheckTree {
    /// What to warn of, if files are encrypted.
    type Outcome = Option<String>;
    const NAME: &'static str = "check_tree";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} can be released", short(&self.commit))
    }

    /// The tree is packed here, because all of it is read for this. What sends it finds it packed.
    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        Ok(tree::warning(&pack(&at, &self.repository, &self.commit, &self.rules).await?.encrypted))
    }

    /// Git isn't simulated, so the real tree is read, if the repository is on this machine.
    fn predict(&self, _: &mut Model) -> Predicted<Option<String>> {
        let Ok(repository) = Repository::locate(&self.repository, Path::new("/nonexistent")) else { return Ok(None) };
        let encrypted = tree::check(&repository, &self.commit, &self.rules).map_err(Failure::from)?;
        Ok(tree::warning(&encrypted))
    }
}
