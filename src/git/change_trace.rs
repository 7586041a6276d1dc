//! Checks in a repository whether a change was made.
use super::{
    Change, GitError, Pushed, Repository,
    process::git,
    reading::{WITHIN, here},
    write::full_name,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a repository shows of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeTrace {
    /// The change was made; with its commit, if it made one.
    Yes(Option<String>),
    No,
    /// Something like the change is there, but it may be another user's.
    Unclear,
}

/// Looks for what the change would leave behind.
pub(super) async fn happened(at: &Repository, change: &Change, within: Duration) -> Result<ChangeTrace, GitError> {
    match change {
        Change::Commit { message, files } => committed(at, message, files, within).await,
        Change::Merge { reference } => {
            let full = full_name(at, reference)?;
            let ended = git(at, &["merge-base", "--is-ancestor", &full, "HEAD"], within).await?;
            if ended.ok { Ok(ChangeTrace::Yes(said(at, "HEAD", within).await?)) } else { Ok(ChangeTrace::No) }
        }
        Change::Tag { name, commit, .. } => {
            let there = said(at, &format!("refs/tags/{name}^{{commit}}"), within).await?;
            Ok(if there.as_ref() == Some(commit) { ChangeTrace::Yes(None) } else { ChangeTrace::No })
        }
        Change::Push { what } => pushed(at, what, within).await,
    }
}

/// Checks that the last commit has the message, and that nothing is left to commit.
async fn committed(
    at: &Repository,
    message: &str,
    files: &[String],
    within: Duration,
) -> Result<ChangeTrace, GitError> {
    let last = git(at, &["log", "-1", "--format=%B"], within).await?;
    if !last.ok || last.out.trim() != message.trim() {
        return Ok(ChangeTrace::No);
    }
    let mut diff = vec!["--literal-pathspecs", "diff", "--quiet", "HEAD", "--"];
    diff.extend(files.iter().map(String::as_str));
    if files.is_empty() {
        diff.insert(2, "--cached");
    }
    if git(at, &diff, within).await?.ok {
        Ok(ChangeTrace::Yes(said(at, "HEAD", within).await?))
    } else {
        Ok(ChangeTrace::Unclear)
    }
}

/// Checks that the remote has the same branches and tags as this repository.
async fn pushed(at: &Repository, what: &[Pushed], within: Duration) -> Result<ChangeTrace, GitError> {
    let remote = at.remote.as_deref().ok_or(GitError::NoRemote)?;
    for one in what {
        let full = match one {
            Pushed::Branch(name) => format!("refs/heads/{name}"),
            Pushed::Tag(name) => format!("refs/tags/{name}"),
        };
        let listed = git(at, &["ls-remote", "--quiet", "--", remote, &full], within).await?;
        if !listed.ok {
            return Err(GitError::Git { what: "ls-remote".to_owned(), why: listed.why() });
        }
        let there = listed.out.lines().find_map(|l| l.strip_suffix(&full)).map(|l| l.trim().to_owned());
        if there.is_none() || there != said(at, &full, within).await? {
            return Ok(ChangeTrace::No);
        }
    }
    Ok(ChangeTrace::Yes(None))
}

/// Returns the object that a name means in this repository, if any.
async fn said(at: &Repository, name: &str, within: Duration) -> Result<Option<String>, GitError> {
    let ended = git(at, &["rev-parse", "--verify", "--quiet", "--end-of-options", name], within).await?;
    Ok(ended.ok.then(|| ended.out.trim().to_owned()))
}

/// Reads whether a change of a repository was made.
#[derive(Clone, Debug, Serialize)]
pub struct ReadChange {
    pub repository: String,
    pub change: Change,
}

impl Read for ReadChange {
    type Outcome = ChangeTrace;
    const NAME: &'static str = "read_change";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether it was done: {}", self.change.describe())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<ChangeTrace, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        Ok(happened(&repository, &self.change, WITHIN).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<ChangeTrace> {
        here(&self.repository)?;
        let done = model.repositories.contains(&(self.repository.clone(), self.change.describe()));
        Ok(if done { ChangeTrace::Yes(None) } else { ChangeTrace::No })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{commit, merge, push, sample::Sample, tag},
        *,
    };

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_was_committed_merged_tagged_and_pushed_is_told_from_what_was_not() {
        let sample = Sample::new();
        let at = sample.repository();
        let look = async |change: &Change| happened(&at, change, SOON).await.unwrap();
        let committing = Change::Commit { message: "more\n\nof it".into(), files: vec!["a".into()] };
        sample.write("a", b"1");
        assert_eq!(look(&committing).await, ChangeTrace::No);
        let made = commit(&at, "more\n\nof it", &["a"], SOON).await.unwrap();
        assert_eq!(look(&committing).await, ChangeTrace::Yes(Some(made.clone())));
        sample.write("a", b"2");
        assert_eq!(look(&committing).await, ChangeTrace::Unclear);
        sample.git(&["checkout", "-q", "--", "a"]);

        let tagging = Change::Tag { name: "v1".into(), commit: made.clone(), message: Some("one".into()) };
        assert_eq!(look(&tagging).await, ChangeTrace::No);
        tag(&at, "v1", &made, Some("one"), SOON).await.unwrap();
        assert_eq!(look(&tagging).await, ChangeTrace::Yes(None));
        let other = Change::Tag { name: "v1".into(), commit: "0".repeat(40), message: None };
        assert_eq!(look(&other).await, ChangeTrace::No);

        let what = vec![Pushed::Branch("main".into()), Pushed::Tag("v1".into())];
        let pushing = Change::Push { what: what.clone() };
        assert_eq!(look(&pushing).await, ChangeTrace::No);
        push(&at, &what[..1], SOON).await.unwrap();
        assert_eq!(look(&pushing).await, ChangeTrace::No);
        push(&at, &what, SOON).await.unwrap();
        assert_eq!(look(&pushing).await, ChangeTrace::Yes(None));

        sample.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
        sample.commit("b", "side");
        sample.git(&["checkout", "-q", "main"]);
        let merging = Change::Merge { reference: "side".into() };
        assert_eq!(look(&merging).await, ChangeTrace::No);
        let merged = merge(&at, "side", SOON).await.unwrap();
        assert_eq!(look(&merging).await, ChangeTrace::Yes(Some(merged)));
        sample.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
        assert!(happened(&at, &pushing, SOON).await.is_err(), "nobody knows");
    }
}
