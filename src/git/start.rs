//! A merge or a pick in the work tree, for a person to finish.
use super::{
    GitError, Repository, WorkTree,
    pick::{pick_words, short},
    process::{git, verb},
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

/// Begins a merge or a pick that conflicts, and leaves it in the work tree as git does.
#[derive(Clone, Debug, Serialize)]
pub struct Start {
    pub repository: String,
    /// The branch that gets it. It's checked out.
    pub into: String,
    /// The commit that the branch is moved forward to first.
    pub onto: String,
    pub what: Started,
}

/// What a branch gets.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Started {
    /// A branch or a tag, by its name.
    Merge(String),
    /// A commit.
    Pick(String),
}

impl Effect for Start {
    type Outcome = ();
    const NAME: &'static str = "start";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        match &self.what {
            Started::Merge(name) => format!("begin the merge of {name} into {} in the work tree", self.into),
            Started::Pick(commit) => format!("begin the pick of {} onto {} in the work tree", short(commit), self.into),
        }
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let state = ask.read(ReadWorkTree { repository: self.repository.clone() })?;
        let doing = match self.what {
            Started::Merge(_) => "merge",
            Started::Pick(_) => "cherry-pick",
        };
        let there = state.branch.as_deref() == Some(&self.into) && state.doing.as_deref() == Some(doing);
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

impl Start {
    async fn begin(&self, repository: &Repository) -> Result<(), GitError> {
        named("refs/heads/", &self.into)?;
        let onto = whole_commit(&self.onto)?;
        let words = match &self.what {
            Started::Merge(name) => {
                named("refs/heads/", name)?;
                vec!["merge", "--quiet", "--no-ff", "--no-edit", name]
            }
            Started::Pick(commit) => pick_words(repository, whole_commit(commit)?).await?,
        };
        done(repository, &["switch", "--quiet", "--no-guess", &self.into], WITHIN).await?;
        done(repository, &["merge", "--quiet", "--ff-only", onto], WITHIN).await?;
        let ended = git(repository, &words, WITHIN).await?;
        if ended.ok || WorkTree::of(repository)?.doing.is_some() {
            return Ok(());
        }
        Err(GitError::Git { what: verb(&words), why: ended.why() })
    }
}
