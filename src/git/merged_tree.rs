//! What git merges two commits to.
use super::{
    GitError, Repository,
    process::{GitEnded, read},
    write::whole_commit,
};

/// The status of a git that doesn't know the options: it's older than 2.38.
const UNKNOWN_OPTION: i32 = 129;

/// What `git merge-tree` merges two commits to.
#[derive(Debug, PartialEq)]
pub(super) enum MergedTree {
    Clean(String),
    Conflicting,
    /// This git can't tell, because it's older than 2.38.
    TooOld,
}

impl MergedTree {
    pub(super) fn args<'a>(onto: &'a str, other: &'a str) -> [&'a str; 5] {
        ["merge-tree", "--write-tree", "--no-messages", onto, other]
    }

    /// Merges without fetching what a partial clone lacks.
    pub(super) fn read(repository: &Repository, onto: &str, other: &str) -> Result<MergedTree, GitError> {
        let (ended, out) = read(repository, &MergedTree::args(onto, other), "")?;
        MergedTree::of(&ended, &String::from_utf8_lossy(&out))
    }

    /// Judges by the status alone, because git can also warn of something in a merge that is clean.
    pub(super) fn of(ended: &GitEnded, out: &str) -> Result<MergedTree, GitError> {
        let tree = out.lines().next().unwrap_or_default();
        match ended.code {
            Some(0) if is_id(tree) => Ok(MergedTree::Clean(tree.to_owned())),
            Some(1) => Ok(MergedTree::Conflicting),
            Some(UNKNOWN_OPTION) => Ok(MergedTree::TooOld),
            _ => Err(GitError::Git { what: "merge-tree".to_owned(), why: ended.why() }),
        }
    }

    /// Returns whether it's a tree; `None` if rfab can't tell.
    pub(super) fn is(&self, tree: &str) -> Option<bool> {
        match self {
            MergedTree::Clean(merged) => Some(merged == tree),
            MergedTree::Conflicting => Some(false),
            MergedTree::TooOld => None,
        }
    }
}

/// Returns whether the repository has all of some commits.
pub(super) fn are_here(repository: &Repository, commits: &[&str]) -> Result<bool, GitError> {
    for commit in commits {
        let commit = format!("{}^{{commit}}", whole_commit(commit)?);
        if !read(repository, &["cat-file", "-e", &commit], "")?.0.ok {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_id(tree: &str) -> bool {
    tree.len() >= 40 && tree.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_status_of_git_says_how_a_merge_ends() {
        let tree = "0123456789abcdef0123456789abcdef01234567";
        let judged = |code: Option<i32>, out: &str, err: &str| {
            let ended = GitEnded { ok: code == Some(0), code, out: String::new(), err: err.to_owned() };
            MergedTree::of(&ended, out)
        };
        for err in ["", "warning: Negative patterns are ignored in git attributes\n", "usage: git merge-tree"] {
            assert_eq!(judged(Some(0), &format!("{tree}\n"), err), Ok(MergedTree::Clean(tree.to_owned())), "{err}");
            assert_eq!(judged(Some(1), &format!("{tree}\n"), err), Ok(MergedTree::Conflicting), "{err}");
            assert_eq!(judged(Some(129), "", err), Ok(MergedTree::TooOld), "{err}");
            for code in [Some(2), Some(127), Some(128), Some(255), None] {
                assert!(judged(code, &format!("{tree}\n"), err).is_err(), "{code:?} {err}");
            }
            assert!(judged(Some(0), "", err).is_err(), "no tree, {err}");
            assert!(judged(Some(0), "usage: git merge-tree\n", err).is_err(), "no tree, {err}");
        }
    }
}
