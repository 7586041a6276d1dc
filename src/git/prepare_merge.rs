//! A merge that moves no branch yet.
use super::{
    GitError, RefMove, Repository,
    apart::Apart,
    process::{GitEnded, git_given},
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

/// Merges a branch or tag into the tip of a branch, always with a commit of its own, and moves no ref.
///
/// The user's git merges in a work tree that is there for this alone, so merge drivers, signing, and the hooks that can
/// refuse a commit count as by hand. Files are written into it only if something could look at them. To do it twice does
/// no harm: nothing names the first commit.
#[derive(Clone, Debug, Serialize)]
pub struct PrepareMerge {
    pub repository: String,
    /// The branch that the merge is for; its name is in the message.
    pub into: String,
    /// Where that branch is, or where an earlier prepared merge left it.
    pub onto: String,
    /// What is merged, by its full name: `refs/heads/hotfix/3.0.1`.
    pub merged: String,
    /// The commit, or the object of a tag, that it names.
    pub tip: String,
    /// Whether all of it becomes one commit of the branch, which isn't a merge.
    pub squash: bool,
}

impl Effect for PrepareMerge {
    /// The commit that came of it.
    type Outcome = String;
    const NAME: &'static str = "prepare_merge";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        format!("prepare the merge of {} into {}", short(&self.merged), self.into)
    }

    fn look(&self, _: Ask<'_>) -> Result<Happened<String>, Failure> {
        Ok(Happened::Not)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<String, Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        self.merge(&repository).await.map_err(GitError::unmoved)
    }

    fn predict(&self, model: &mut Model) -> Predicted<String> {
        here(&self.repository)?;
        let digest = Sha256::digest(format!("{} {} {} {}", self.into, self.onto, self.merged, self.tip));
        let commit = hex::encode(digest)[..self.onto.len().min(64)].to_owned();
        let tip = model.prepared.tagged(&self.tip).to_owned();
        let parents = [self.onto.as_str(), &tip];
        model.prepared.add(&commit, if self.squash { &parents[..1] } else { &parents });
        Ok(commit)
    }
}

impl PrepareMerge {
    async fn merge(&self, repository: &Repository) -> Result<String, GitError> {
        repository.work.as_ref().ok_or(GitError::NoWorkTree)?;
        named("refs/heads/", &self.into)?;
        named("", &self.merged)?;
        let (onto, tip) = (whole_commit(&self.onto)?, whole_commit(&self.tip)?);
        let message = format!("--message={}", self.message(repository).await?);
        let apart = Apart::of(repository, onto).await?;
        let ended = self.merge_apart(&apart, &message, tip).await;
        let merged = match ended {
            Ok(ended) if ended.ok => apart.head().await,
            Ok(ended) => Err(self.refused(&apart, &ended).await),
            Err(error) => Err(error),
        };
        apart.remove(repository).await?;
        merged
    }

    async fn merge_apart(&self, apart: &Apart, message: &str, tip: &str) -> Result<GitEnded, GitError> {
        if !self.squash {
            // The message has the log already, if the settings want one.
            return apart.git(&["merge", "--quiet", "--no-ff", "--no-log", message, tip]).await;
        }
        let squashed = apart.git(&["merge", "--quiet", "--squash", tip]).await?;
        // If the branch has all of it already, there is nothing to commit.
        if !squashed.ok || apart.git(&["diff", "--cached", "--quiet"]).await?.ok {
            return Ok(squashed);
        }
        // Git words the commit by what was squashed.
        apart.git(&["commit", "--quiet", "--no-edit"]).await
    }

    /// Words the merge as git would on the branch itself.
    async fn message(&self, repository: &Repository) -> Result<String, GitError> {
        let kind = if self.merged.starts_with("refs/tags/") { "tag" } else { "branch" };
        let name = short(&self.merged);
        // As `.git/FETCH_HEAD` has it, which `git fmt-merge-msg` reads.
        let line = format!("{}\t\t{kind} '{name}' of .\n", self.tip);
        let into = format!("--into-name={}", self.into);
        let worded = git_given(repository, &["fmt-merge-msg", &into], &line, WITHIN).await?;
        if worded.ok && !worded.out.trim().is_empty() {
            return Ok(worded.out);
        }
        // A git before 2.36 doesn't know `--into-name`.
        Ok(match self.into.as_str() {
            "master" => format!("Merge {kind} '{name}'"),
            into => format!("Merge {kind} '{name}' into {into}"),
        })
    }

    async fn refused(&self, apart: &Apart, ended: &GitEnded) -> GitError {
        let files = apart.open_files().await;
        if files.is_empty() {
            let hook = ended.err.contains("Not committing merge");
            let by = if hook { "a hook of the repository refuses the commit: " } else { "" };
            return GitError::Git { what: "merge".to_owned(), why: format!("{by}{}", ended.why()) };
        }
        GitError::Conflicting { merged: short(&self.merged).to_owned(), into: self.into.clone(), files }
    }
}

fn short(name: &str) -> &str {
    RefMove::short_name(name)
}
