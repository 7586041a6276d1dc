//! A merge that moves no branch yet.
use super::{
    GitError, RefMove, Repository,
    process::{GitEnded, git, git_given},
    reading::{WITHIN, here},
    visible::visible,
    write::{done, named, whole_commit},
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
/// The user's git merges in a work tree that is there for this alone, so hooks, merge drivers and signing count as by
/// hand. To do it twice does no harm: nothing names the first commit.
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
        Ok(self.merge(&repository).await?)
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
        let ended = self.merge_apart(&apart.repository, &message, tip).await;
        let merged = match ended {
            Ok(ended) if ended.ok => head(&apart.repository).await,
            Ok(ended) => Err(self.refused(&apart.repository, ended.why()).await),
            Err(error) => Err(error),
        };
        apart.remove(repository).await?;
        merged
    }

    async fn merge_apart(&self, apart: &Repository, message: &str, tip: &str) -> Result<GitEnded, GitError> {
        if !self.squash {
            return git(apart, &["merge", "--quiet", "--no-ff", message, tip], WITHIN).await;
        }
        let squashed = git(apart, &["merge", "--quiet", "--squash", tip], WITHIN).await?;
        // If the branch has all of it already, there is nothing to commit.
        if !squashed.ok || git(apart, &["diff", "--cached", "--quiet"], WITHIN).await?.ok {
            return Ok(squashed);
        }
        // Git words the commit by what was squashed.
        git(apart, &["commit", "--quiet", "--no-edit"], WITHIN).await
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

    async fn refused(&self, apart: &Repository, why: String) -> GitError {
        let files = open_files(apart).await;
        if files.is_empty() {
            return GitError::Git { what: "merge".to_owned(), why };
        }
        GitError::Conflicting { merged: short(&self.merged).to_owned(), into: self.into.clone(), files }
    }
}

fn short(name: &str) -> &str {
    RefMove::short_name(name)
}

/// Returns the files with a conflict.
pub(super) async fn open_files(apart: &Repository) -> Vec<String> {
    match git(apart, &["diff", "--name-only", "--diff-filter=U", "-z"], WITHIN).await {
        Ok(open) => open.out.split('\0').filter(|file| !file.is_empty()).map(visible).collect(),
        Err(_) => Vec::new(),
    }
}

pub(super) async fn head(repository: &Repository) -> Result<String, GitError> {
    let ended = git(repository, &["rev-parse", "--verify", "HEAD"], WITHIN).await?;
    if ended.ok { Ok(ended.out.trim().to_owned()) } else { Err(GitError::Read(ended.why())) }
}

/// A work tree of a repository that is there for one merge or pick, with no branch.
pub(super) struct Apart {
    pub repository: Repository,
    folder: tempfile::TempDir,
}

impl Apart {
    pub(super) async fn of(repository: &Repository, commit: &str) -> Result<Apart, GitError> {
        let failed = |e: std::io::Error| GitError::Read(format!("a folder for the merge can't be made: {e}"));
        let folder = tempfile::Builder::new().prefix("rfab-merge-").tempdir().map_err(failed)?;
        let work = folder.path().join("tree");
        let path = work.to_str().ok_or_else(|| GitError::BadName(work.display().to_string()))?;
        // A checkout isn't something that the user did, so its hook doesn't run.
        let add = ["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", path, commit];
        done(repository, &add, WITHIN).await?;
        let repository = Repository { work: Some(work), ..repository.clone() };
        Ok(Apart { repository, folder })
    }

    pub(super) async fn remove(self, repository: &Repository) -> Result<(), GitError> {
        drop(self.folder);
        done(repository, &["worktree", "prune"], WITHIN).await
    }
}
