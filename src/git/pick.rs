//! What git is told to pick, apart from where.
use super::{GitError, Repository, apart::Apart, process::git, reading::WITHIN, write::whole_commit};
use serde::Serialize;

/// A commit that is picked. Of a merge, what it brought to its first parent is.
#[derive(Clone, Debug, Serialize)]
pub struct Pick {
    pub commit: String,
}

impl Pick {
    pub(super) fn name(&self) -> String {
        short(&self.commit)
    }

    /// Returns the words that pick it; `None` if a branch has it already.
    pub(super) async fn words(&self, repository: &Repository, onto: &str) -> Result<Option<Vec<String>>, GitError> {
        let commit = whole_commit(&self.commit)?;
        if has(repository, onto, commit).await? {
            return Ok(None);
        }
        Ok(Some(pick_words(repository, commit).await?.into_iter().map(str::to_owned).collect()))
    }

    /// Returns whether git stopped because there is nothing to pick.
    pub(super) async fn is_empty(apart: &Apart) -> Result<bool, GitError> {
        let untouched = apart.git(&["status", "--porcelain", "--untracked-files=no"]).await?;
        let stopped = apart.git(&["rev-parse", "--verify", "--quiet", "CHERRY_PICK_HEAD"]).await?;
        Ok(stopped.ok && untouched.ok && untouched.out.trim().is_empty())
    }
}

/// Returns whether a branch has a pick of a commit: its message says so, even after a resolved conflict.
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
pub(super) async fn pick_words<'a>(repository: &Repository, commit: &'a str) -> Result<Vec<&'a str>, GitError> {
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
