//! The branch that is checked out moves forward.
use super::{
    Repository, WorkTree,
    reading::{WITHIN, here},
    work_tree::ReadWorkTree,
    write::{done, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Moves the branch that is checked out, and its files, forward to a commit.
#[derive(Clone, Debug, Serialize)]
pub struct FastForward {
    pub repository: String,
    pub branch: String,
    pub commit: String,
}

impl Effect for FastForward {
    type Outcome = ();
    const NAME: &'static str = "fast_forward";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("move {} forward", self.branch)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let there = state.commit.as_deref() == Some(&self.commit);
        Ok(if there { Happened::Done(()) } else { Happened::Not })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        let out = WorkTree::of(&repository)?.branch;
        if out.as_deref() != Some(&self.branch) {
            return Err(Failure::failed(format!("`{}` isn't checked out any more", self.branch)));
        }
        Ok(done(&repository, &["merge", "--quiet", "--ff-only", whole_commit(&self.commit)?], WITHIN).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        WorkTree::of(&here(&self.repository)?).map_err(Failure::from)?;
        whole_commit(&self.commit).map_err(Failure::from)?;
        let name = format!("refs/heads/{}", self.branch);
        model.refs.insert((self.repository.clone(), name), Some(self.commit.as_str().into()));
        Ok(())
    }
}
