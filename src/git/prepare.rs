//! A merge or a pick that moves no branch yet.
use super::{
    GitError, Repository,
    apart::Apart,
    merge::Merge,
    pick::Pick,
    reading::here,
    write::{named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Merges something into the tip of a branch, or picks a commit onto it, and moves no ref.
///
/// The user's git does it in a work tree that is there for this alone, so merge drivers, signing, and the hooks that can
/// refuse a commit count as by hand. Files are written into it only if something could look at them. To do it twice does
/// no harm: nothing names the first commit.
#[derive(Clone, Debug, Serialize)]
pub struct Prepare {
    pub repository: String,
    /// The branch that it's for.
    pub into: String,
    /// Where that branch is, or where what was prepared before left it.
    pub onto: String,
    pub what: Joined,
}

/// What comes to a branch.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Joined {
    Merge(Merge),
    Pick(Pick),
}

impl Effect for Prepare {
    /// The commit that came of it; `onto` if a pick or a squash changes nothing.
    type Outcome = String;
    const NAME: &'static str = "prepare";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        match &self.what {
            Joined::Merge(merge) => format!("prepare the merge of {} into {}", merge.name(), self.into),
            Joined::Pick(pick) => format!("prepare the pick of {} onto {}", pick.name(), self.into),
        }
    }

    fn look(&self, _: Ask<'_>) -> Result<Happened<String>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        self.made(&repository).await.map_err(GitError::unmoved)
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        here(&self.repository)?;
        let what = serde_json::to_string(&self.what).expect("it's plain data");
        let digest = Sha256::digest(format!("{} {} {what}", self.into, self.onto));
        let commit = hex::encode(digest)[..self.onto.len().min(64)].to_owned();
        match &self.what {
            Joined::Merge(merge) if !merge.squash => {
                let tip = model.prepared.tagged(&merge.tip).to_owned();
                model.prepared.add(&commit, &[&self.onto, &tip]);
            }
            _ => model.prepared.add(&commit, &[&self.onto]),
        }
        Ok(commit)
    }
}

impl Prepare {
    async fn made(&self, repository: &Repository) -> Result<String, GitError> {
        repository.work.as_ref().ok_or(GitError::NoWorkTree)?;
        named("refs/heads/", &self.into)?;
        let onto = whole_commit(&self.onto)?;
        let words = match &self.what {
            Joined::Merge(merge) => Some(merge.words(repository, &self.into).await?),
            Joined::Pick(pick) => pick.words(repository, onto).await?,
        };
        let Some(words) = words else { return Ok(onto.to_owned()) };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let apart = Apart::of(repository, onto).await?;
        let made = self.made_apart(&apart, &words).await;
        apart.remove(repository).await?;
        made
    }

    async fn made_apart(&self, apart: &Apart, words: &[&str]) -> Result<String, GitError> {
        let mut ended = apart.git(words).await?;
        if let (true, Joined::Merge(merge)) = (ended.ok, &self.what) {
            ended = merge.committed(apart, ended).await?;
        }
        if ended.ok {
            return apart.head().await;
        }
        let (merged, files) = (self.name(), apart.open_files().await);
        if !files.is_empty() {
            return Err(GitError::Conflicting { merged, into: self.into.clone(), files });
        }
        match &self.what {
            Joined::Merge(_) => Err(Merge::refused(&ended)),
            Joined::Pick(_) if Pick::is_empty(apart).await? => Ok(self.onto.clone()),
            Joined::Pick(_) => Err(GitError::Git { what: "cherry-pick".to_owned(), why: ended.why() }),
        }
    }

    fn name(&self) -> String {
        match &self.what {
            Joined::Merge(merge) => merge.name().to_owned(),
            Joined::Pick(pick) => pick.name(),
        }
    }
}
