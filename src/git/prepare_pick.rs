//! A cherry-pick that moves no branch yet.
use super::{
    GitError, Repository,
    apart::Apart,
    process::git,
    reading::{WITHIN, here},
    write::{named, whole_commit},
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Picks one commit onto the tip of a branch, and moves no ref.
///
/// The user's git picks in a work tree that is there for this alone, so hooks and signing count as by hand. To do it
/// twice does no harm: nothing names the first commit.
#[derive(Clone, Debug, Serialize)]
pub struct PreparePick {
    pub repository: String,
    /// The branch that the pick is for.
    pub into: String,
    /// Where that branch is, or where an earlier prepared pick left it.
    pub onto: String,
    /// The commit to pick. Of a merge, what it brought to its first parent is picked.
    pub commit: String,
}

impl Effect for PreparePick {
    /// The commit that came of it; `onto` if the branch has those changes already.
    type Outcome = String;
    const NAME: &'static str = "prepare_pick";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("prepare the pick of {} onto {}", short(&self.commit), self.into)
    }

    fn look(&self, _: Ask<'_>) -> Result<Happened<String>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        Ok(self.pick(&repository).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        here(&self.repository)?;
        let digest = Sha256::digest(format!("{} {} {}", self.into, self.onto, self.commit));
        let commit = hex::encode(digest)[..self.onto.len().min(64)].to_owned();
        model.prepared.add(&commit, &[self.onto.as_str()]);
        Ok(commit)
    }
}

impl PreparePick {
    async fn pick(&self, repository: &Repository) -> Result<String, GitError> {
        repository.work.as_ref().ok_or(GitError::NoWorkTree)?;
        named("refs/heads/", &self.into)?;
        let (onto, commit) = (whole_commit(&self.onto)?, whole_commit(&self.commit)?);
        if has(repository, onto, commit).await? {
            return Ok(onto.to_owned());
        }
        let words = words(repository, commit).await?;
        let apart = Apart::of(repository, onto).await?;
        let picked = self.pick_apart(&apart, &words).await;
        apart.remove(repository).await?;
        picked
    }

    async fn pick_apart(&self, apart: &Apart, words: &[&str]) -> Result<String, GitError> {
        let ended = apart.git(words).await?;
        if ended.ok {
            return apart.head().await;
        }
        let files = apart.open_files().await;
        if !files.is_empty() {
            return Err(GitError::Conflicting { merged: short(&self.commit), into: self.into.clone(), files });
        }
        // Git stops at a pick that changes nothing, too.
        let untouched = apart.git(&["status", "--porcelain", "--untracked-files=no"]).await?;
        let stopped = apart.git(&["rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD"]).await?;
        if stopped.ok && untouched.ok && untouched.out.trim().is_empty() {
            return Ok(self.onto.clone());
        }
        Err(GitError::Git { what: "cherry-pick".to_owned(), why: ended.why() })
    }
}

/// Returns whether a branch has a pick of a commit: its message says so, also after a conflict that was solved.
async fn has(repository: &Repository, branch: &str, commit: &str) -> Result<bool, GitError> {
    let text = format!("--grep=(cherry picked from commit {commit})");
    let not = format!("^{commit}");
    let args = ["rev-list", "--max-count=1", "--fixed-strings", &text, branch, &not, "--"];
    let ended = git(repository, &args, WITHIN).await?;
    if ended.ok {
        Ok(!ended.out.trim().is_empty())
    } else {
        Err(GitError::Git { what: "rev-list".to_owned(), why: ended.why() })
    }
}

/// Returns the words that pick a commit, and say in its message where it comes from.
pub(super) async fn words<'a>(repository: &Repository, commit: &'a str) -> Result<Vec<&'a str>, GitError> {
    let ended = git(repository, &["rev-list", "--parents", "--max-count=1", commit, "--"], WITHIN).await?;
    if !ended.ok {
        return Err(GitError::Git { what: "rev-list".to_owned(), why: ended.why() });
    }
    let mut words = vec!["cherry-pick", "-x"];
    if ended.out.split_whitespace().count() > 2 {
        words.extend(["--mainline", "1"]);
    }
    words.push(commit);
    Ok(words)
}

/// Returns the beginning of a commit's id.
pub(super) fn short(commit: &str) -> String {
    commit.get(..12).unwrap_or(commit).to_owned()
}
