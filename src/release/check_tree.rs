//! Checks a commit's tree before anything is sent or locked.
use super::{name::short, packing::pack, tree};
use crate::{
    effect::*,
    failure::Failure,
    fleet::TreeRules,
    git::Repository,
    host::Name,
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::path::Path;

/// Fails if a commit's tree can't be released, and finds those of its files that may not be what the app expects.
#[derive(Clone, Debug, Serialize)]
pub struct CheckTree {
    pub repository: String,
    pub commit: Commit,
    #[serde(flatten)]
    pub rules: TreeRules,
    /// The fleet whose lock the release takes next.
    #[serde(skip)]
    pub fleet: Name,
}

impl Read for CheckTree {
    /// What to warn of.
    type Outcome = Option<String>;
    const NAME: &'static str = "check_tree";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} can be released", short(&self.commit))
    }

    /// The tree is packed here, because what changed in it is read for this. What sends it finds it packed.
    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        at.real.site(&self.fleet).coordinator.foresee();
        Ok(pack(&at, &self.repository, &self.commit, &self.rules).await?.odd.warning())
    }

    /// Git isn't simulated, so the real tree is read, if the repository is on this machine.
    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let Ok(repository) = Repository::locate(&self.repository, Path::new("/nonexistent")) else { return Ok(None) };
        let (nowhere, commit) = (Path::new("/nonexistent"), model.prepared.stand_in(&self.commit));
        let odd = tree::check(&repository, commit, &self.rules, nowhere).map_err(Failure::from)?;
        let assumed = tree::assumed(&repository, commit, &self.rules).map_err(Failure::from)?;
        let all: Vec<String> = odd.warning().into_iter().chain(assumed).collect();
        Ok((!all.is_empty()).then(|| all.join("; ")))
    }
}
