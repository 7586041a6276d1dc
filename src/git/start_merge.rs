//! A merge in the work tree, for a person to finish.
use super::{
    GitError, Repository, WorkTree,
    process::git,
    reading::{WITHIN, here},
    work_tree::ReadWorkTree,
    write::{done, named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Begins a merge that conflicts, and leaves it in the work tree as git does.
#[derive(Clone, Debug, Serialize)]
pub struct StartMerge {
    pub repository: String,
    /// The branch that gets the merge. It's checked out.
    pub into: String,
    /// The commit that the branch is moved forward to before the merge.
    pub onto: String,
    /// The branch or tag that is merged.
    pub merged: String,
}

impl Effect for StartMerge {
    type Outcome = ();
    const NAME: &'static str = "start_merge";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("begin the merge of {} into {} in the work tree", self.merged, self.into)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let there = state.branch.as_deref() == Some(&self.into) && state.doing.as_deref() == Some("merge");
        Ok(if there { Happened::Done(()) } else { Happened::Not })
    }

    fn assumed(&self) -> Option<()> {
        Some(())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        Ok(self.begin(&repository).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        WorkTree::of(&here(&self.repository)?).map_err(Failure::from)?;
        model.checked_out.insert(self.repository.clone(), self.into.clone());
        Ok(())
    }
}

impl StartMerge {
    async fn begin(&self, repository: &Repository) -> Result<(), GitError> {
        named("refs/heads/", &self.into)?;
        named("refs/heads/", &self.merged)?;
        let onto = whole_commit(&self.onto)?;
        done(repository, &["switch", "--quiet", "--no-guess", &self.into], WITHIN).await?;
        done(repository, &["merge", "--quiet", "--ff-only", onto], WITHIN).await?;
        let ended = git(repository, &["merge", "--quiet", "--no-ff", "--no-edit", &self.merged], WITHIN).await?;
        if ended.ok || WorkTree::of(repository)?.doing.is_some() {
            return Ok(());
        }
        Err(GitError::Git { what: "merge".to_owned(), why: ended.why() })
    }
}
