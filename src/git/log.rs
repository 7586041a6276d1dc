//! Lists the commits between two commits.
use super::{GitError, LoggedCommit, Repository, by_git::ByGit, open::OpenRepository, visible::visible};
use serde::{Deserialize, Serialize};

/// The commits that a change from one commit to another adds and drops, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Between {
    pub added: Vec<LoggedCommit>,
    /// What the old commit has and the new one doesn't. A roll back, or a change of branches, drops commits.
    pub dropped: Vec<LoggedCommit>,
    /// Whether there are more commits than were asked for.
    pub more: bool,
}

/// Lists the commits that `new` has and `old` doesn't, and the reverse, at most `most` of each.
///
/// With a folder, only commits that change something in it count. Both are whole commit ids. Subjects and authors are
/// other people's texts: they still have their control characters.
pub fn log_between(
    repository: &Repository,
    old: &str,
    new: &str,
    most: usize,
    folder: Option<&str>,
) -> Result<Between, GitError> {
    let open = OpenRepository::of(repository)?;
    for commit in [old, new] {
        if !open.has(commit) {
            return Err(GitError::Unknown { reference: visible(commit), near: Vec::new() });
        }
    }
    let only_in = |here, not_here| match folder {
        Some(_) => ByGit::new(repository).only_in(here, not_here, most, folder),
        None => open.only_in(here, not_here, most),
    };
    let (added, more_added) = only_in(new, old)?;
    let (dropped, more_dropped) = only_in(old, new)?;
    Ok(Between { added, dropped, more: more_added || more_dropped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn both_directions_are_told_and_cut() {
        let sample = Sample::new();
        let base = sample.git(&["rev-parse", "HEAD"]);
        let old = sample.commit("a", "old");
        sample.git(&["checkout", "-q", "-b", "side", &base]);
        sample.commit("b", "1");
        sample.commit("b", "2");
        let new = sample.commit("b", "3");
        let seen = log_between(&sample.repository(), &old, &new, 2, None).unwrap();
        let subjects = |logged: &[LoggedCommit]| logged.iter().map(|l| l.subject.clone()).collect::<Vec<_>>();
        assert_eq!(subjects(&seen.added), ["b: 3", "b: 2"]);
        assert_eq!(subjects(&seen.dropped), ["a: old"]);
        assert!(seen.more);
        assert_eq!(seen.added[0].author, "Anna");
        sample.commit("services/web/a", "4");
        let newer = sample.commit("services/webs/a", "5");
        let seen = log_between(&sample.repository(), &new, &newer, 9, Some("services/web")).unwrap();
        assert_eq!(subjects(&seen.added), ["services/web/a: 4"]);
        assert_eq!(log_between(&sample.repository(), &new, &new, 2, None).unwrap(), Between::default());
    }

    #[test]
    fn a_commit_that_is_not_here_is_unknown() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
        for unknown in ["0123456789012345678901234567890123456789", "main", &head[..12], ""] {
            let ended = log_between(&sample.repository(), unknown, &head, 9, None);
            assert!(matches!(ended, Err(GitError::Unknown { .. })), "{ended:?}");
        }
    }
}
