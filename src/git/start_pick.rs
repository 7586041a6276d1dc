//! A cherry-pick in the work tree, for a person to finish.
use super::{
    GitError, Repository, WorkTree,
    prepare_pick::{short, words},
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

/// Begins a cherry-pick that conflicts, and leaves it in the work tree as git does.
#[derive(Clone, Debug, Serialize)]
pub struct StartPick {
    pub repository: String,
    /// The branch that gets the commit. It's checked out.
    pub into: String,
    /// The commit that the branch is moved forward to before the pick.
    pub onto: String,
    /// The commit to pick.
    pub commit: String,
}

impl Effect for StartPick {
    type Outcome = ();
    const NAME: &'static str = "start_pick";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("begin the pick of {} onto {} in the work tree", short(&self.commit), self.into)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let there = state.branch.as_deref() == Some(&self.into) && state.doing.as_deref() == Some("cherry-pick");
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

impl StartPick {
    async fn begin(&self, repository: &Repository) -> Result<(), GitError> {
        named("refs/heads/", &self.into)?;
        let (onto, commit) = (whole_commit(&self.onto)?, whole_commit(&self.commit)?);
        let words = words(repository, commit).await?;
        done(repository, &["switch", "--quiet", "--no-guess", &self.into], WITHIN).await?;
        done(repository, &["merge", "--quiet", "--ff-only", onto], WITHIN).await?;
        let ended = git(repository, &words, WITHIN).await?;
        if ended.ok || WorkTree::of(repository)?.doing.is_some() {
            return Ok(());
        }
        Err(GitError::Git { what: "cherry-pick".to_owned(), why: ended.why() })
    }
}
