//! Checks whether a folder's branch is behind its upstream.
use super::{GitError, Repository, branch::Branch, open::OpenRepository, process::git, visible::visible};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Duration};

/// How long the remote may take to report where its branch is. After that, the last fetch counts.
const WITHIN: Duration = Duration::from_secs(5);

/// Checks whether a folder's current branch is behind its upstream.
///
/// It fetches nothing: it asks the remote for one name, unless `--no-fetch` forbids that. Without an upstream, a branch
/// or a repository, the answer is `None`.
#[derive(Clone, Debug, Serialize)]
pub struct ReadBehind {
    pub folder: String,
}

/// What the upstream has and the folder's branch doesn't.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    /// The upstream's name, such as `origin/main`.
    pub upstream: String,
    /// How many commits it has; `None` if they were pushed after the last fetch.
    pub commits: Option<usize>,
}

impl Read for ReadBehind {
    type Outcome = Option<Behind>;
    const NAME: &'static str = "read_behind";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.folder)
    }

    fn describe(&self) -> String {
        "check whether the fabfile's branch is behind its upstream".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<Behind>, Failure> {
        let Ok(repository) = Repository::locate(&self.folder, Path::new("/nonexistent")) else { return Ok(None) };
        Ok(behind(&repository, at.real.fetch).await.unwrap_or_default())
    }

    /// A dry run reads the real repository: the last fetch counts.
    fn predict(&self, _: &mut Model) -> Predicted<Option<Behind>> {
        let repository = Repository::locate(&self.folder, Path::new("/nonexistent")).ok();
        Ok(repository.and_then(|at| Followed::of(&at).ok().flatten()?.behind(&at, None).ok()?))
    }
}

async fn behind(repository: &Repository, ask: bool) -> Result<Option<Behind>, GitError> {
    let Some(followed) = Followed::of(repository)? else { return Ok(None) };
    let now = if ask { followed.asked(repository).await } else { None };
    followed.behind(repository, now.as_deref())
}

/// The current branch and its upstream.
struct Followed(Branch);

impl Followed {
    fn of(repository: &Repository) -> Result<Option<Followed>, GitError> {
        Ok(OpenRepository::of(repository)?.followed()?.map(Followed))
    }

    /// Asks the remote where the upstream is; `None` if it doesn't answer in time.
    async fn asked(&self, repository: &Repository) -> Option<String> {
        let Branch { remote, name, .. } = &self.0;
        if remote == "." || remote.starts_with('-') {
            return None;
        }
        let ended = git(repository, &["ls-remote", "--quiet", "--", remote, name], WITHIN).await.ok()?;
        let line = ended.out.lines().find(|line| line.ends_with(&format!("\t{name}")))?;
        Some(line.split('\t').next()?.to_owned()).filter(|_| ended.ok)
    }

    fn behind(&self, repository: &Repository, now: Option<&str>) -> Result<Option<Behind>, GitError> {
        let open = OpenRepository::of(repository)?;
        let there = |commits| Behind { upstream: visible(&self.0.shown), commits };
        let tip = now.unwrap_or(&self.0.known);
        if !open.has(tip) {
            return Ok(Some(there(None)));
        }
        let commits = open.ahead(tip, &self.0.own)?;
        Ok((commits > 0).then(|| there(Some(commits))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    async fn seen(sample: &Sample, ask: bool) -> Option<Behind> {
        behind(&sample.repository(), ask).await.unwrap_or_default()
    }

    fn by(commits: Option<usize>) -> Option<Behind> {
        Some(Behind { upstream: "origin/main".to_owned(), commits })
    }

    /// A clone that follows `origin/main`.
    fn following() -> Sample {
        let sample = Sample::new();
        sample.git(&["branch", "-q", "--set-upstream-to=origin/main"]);
        sample
    }

    #[tokio::test]
    async fn a_branch_that_has_all_or_more_is_not_behind() {
        let sample = following();
        assert_eq!(seen(&sample, true).await, None);
        sample.commit("a", "1");
        assert_eq!(seen(&sample, true).await, None);
    }

    #[tokio::test]
    async fn what_others_pushed_is_counted_once_it_was_fetched_and_known_of_before() {
        let sample = following();
        let other = sample.other();
        other.commit("a", "1");
        other.commit("b", "2");
        other.git(&["push", "-q", "origin", "main"]);
        let refs = sample.git(&["for-each-ref"]);
        assert_eq!(seen(&sample, false).await, None);
        assert_eq!(seen(&sample, true).await, by(None));
        assert_eq!(sample.git(&["for-each-ref"]), refs, "looking changes nothing");
        sample.git(&["fetch", "-q"]);
        sample.commit("c", "3");
        assert_eq!((seen(&sample, false).await, seen(&sample, true).await), (by(Some(2)), by(Some(2))));
        sample.git(&["pull", "-q", "--rebase"]);
        assert_eq!(seen(&sample, true).await, None);
    }

    #[tokio::test]
    async fn a_remote_that_does_not_answer_is_what_was_last_fetched_of_it() {
        let sample = following();
        let other = sample.other();
        other.commit("a", "1");
        other.git(&["push", "-q", "origin", "main"]);
        sample.git(&["fetch", "-q"]);
        std::fs::rename(&sample.origin, sample.folder.path().join("gone")).unwrap();
        assert_eq!(seen(&sample, true).await, by(Some(1)));
    }

    #[tokio::test]
    async fn without_an_upstream_a_branch_or_a_repository_there_is_nothing_to_be_behind() {
        let sample = following();
        sample.git(&["branch", "-q", "--unset-upstream"]);
        assert_eq!(seen(&sample, true).await, None);
        sample.git(&["checkout", "-q", "--detach"]);
        assert_eq!(seen(&sample, true).await, None);
        let empty = tempfile::tempdir().unwrap();
        crate::git::sample::git(empty.path(), &["init", "-q"]);
        let repository = Repository::locate(empty.path().to_str().unwrap(), Path::new("/nowhere")).unwrap();
        assert_eq!(behind(&repository, true).await.unwrap_or_default(), None);
    }
}
