//! What git is told to merge, apart from where.
use super::{
    GitError, RefMove, Repository,
    apart::Apart,
    process::{GitEnded, git_given},
    reading::WITHIN,
    write::{named, whole_commit},
};
use serde::Serialize;

/// A branch or tag that is merged, always with a commit of its own.
#[derive(Clone, Debug, Serialize)]
pub struct Merge {
    /// Its full name, which is in the message: `refs/heads/hotfix/3.0.1`.
    pub merged: String,
    /// The commit, or the object of a tag, that it names.
    pub tip: String,
    /// Whether all of it becomes one commit of the branch, which isn't a merge.
    pub squash: bool,
}

impl Merge {
    pub(super) fn name(&self) -> &str {
        RefMove::short_name(&self.merged)
    }

    /// Returns the words that merge it.
    pub(super) async fn words(&self, repository: &Repository, into: &str) -> Result<Vec<String>, GitError> {
        named("", &self.merged)?;
        let tip = whole_commit(&self.tip)?.to_owned();
        if self.squash {
            return Ok(["merge", "--quiet", "--squash"].map(str::to_owned).into_iter().chain([tip]).collect());
        }
        let message = format!("--message={}", self.message(repository, into).await?);
        // The message has the log already, if the settings want one.
        let words = ["merge", "--quiet", "--no-ff", "--no-log"].map(str::to_owned);
        Ok(words.into_iter().chain([message, tip]).collect())
    }

    /// Commits a squash, which git leaves in the index.
    pub(super) async fn committed(&self, apart: &Apart, ended: GitEnded) -> Result<GitEnded, GitError> {
        // If the branch has all of it already, there is nothing to commit.
        if !self.squash || apart.git(&["diff", "--cached", "--quiet"]).await?.ok {
            return Ok(ended);
        }
        // Git words the commit by what was squashed.
        apart.git(&["commit", "--quiet", "--no-edit"]).await
    }

    /// Returns the message that git would write for this merge on the branch itself.
    async fn message(&self, repository: &Repository, into: &str) -> Result<String, GitError> {
        let kind = if self.merged.starts_with("refs/tags/") { "tag" } else { "branch" };
        let name = self.name();
        // As `.git/FETCH_HEAD` has it, which `git fmt-merge-msg` reads.
        let line = format!("{}\t\t{kind} '{name}' of .\n", self.tip);
        let named = format!("--into-name={into}");
        let worded = git_given(repository, &["fmt-merge-msg", &named], &line, WITHIN).await?;
        if worded.ok && !worded.out.trim().is_empty() {
            return Ok(worded.out);
        }
        // A git before 2.36 doesn't know `--into-name`.
        Ok(match into {
            "master" => format!("Merge {kind} '{name}'"),
            into => format!("Merge {kind} '{name}' into {into}"),
        })
    }

    /// Returns why git made no commit.
    pub(super) fn refused(ended: &GitEnded) -> GitError {
        let hook = ended.err.contains("Not committing merge");
        let by = if hook { "a hook of the repository refuses the commit: " } else { "" };
        GitError::Git { what: "merge".to_owned(), why: format!("{by}{}", ended.why()) }
    }
}
