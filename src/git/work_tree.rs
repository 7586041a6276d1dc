//! What is checked out in a repository's work tree, and what it's in the middle of.
use super::{
    GitError, Repository,
    process::{read, verb},
    reading::here,
    visible::visible,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::{Deserialize, Serialize};

/// The state of a work tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkTree {
    /// The branch that is checked out; `None` if the head is detached.
    pub branch: Option<String>,
    /// The commit that is checked out; `None` before the first commit.
    pub commit: Option<String>,
    /// The tracked files that differ from that commit.
    pub changed: Vec<String>,
    /// What git is in the middle of, such as `merge`.
    pub doing: Option<String>,
    /// Whether the history is cut off.
    pub shallow: bool,
    /// The branches that other work trees of the repository have checked out.
    pub elsewhere: Vec<String>,
}

/// What git leaves in its folder while it's in the middle of something.
const LEFT: [(&str, &str); 6] = [
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

impl WorkTree {
    /// Reads the state of a repository's work tree.
    ///
    /// `NoWorkTree` if it is bare.
    pub(super) fn of(repository: &Repository) -> Result<WorkTree, GitError> {
        repository.work.as_ref().ok_or(GitError::NoWorkTree)?;
        let status = [
            "status",
            "--porcelain=v2",
            "--branch",
            "--no-ahead-behind",
            "-z",
            "--untracked-files=no",
            "--ignore-submodules=all",
        ];
        let mut state = WorkTree::parse(&ask(repository, &status)?);
        let told = ask(repository, &["rev-parse", "--is-shallow-repository", "--absolute-git-dir"])?;
        let strange = || GitError::Read("git doesn't report where it is".to_owned());
        let (shallow, folder) = told.split_once('\n').ok_or_else(strange)?;
        state.shallow = shallow == "true";
        let folder = std::path::Path::new(folder.trim_end());
        let left = LEFT.into_iter().find(|(file, _)| folder.join(file).exists());
        state.elsewhere = elsewhere(&ask(repository, &["worktree", "list", "--porcelain"])?, state.branch.as_deref());
        state.doing = left.map(|(_, doing)| doing.to_owned());
        Ok(state)
    }

    /// Reads `git status --porcelain=v2 --branch -z`, by the manual's "Porcelain Format Version 2".
    fn parse(status: &str) -> WorkTree {
        let mut state = WorkTree::default();
        let mut entries = status.split('\0').filter(|entry| !entry.is_empty());
        while let Some(entry) = entries.next() {
            let (kind, rest) = entry.split_once(' ').unwrap_or((entry, ""));
            match kind {
                "#" => state.head(rest),
                "1" => state.changed.extend(rest.splitn(8, ' ').nth(7).map(visible)),
                "2" => {
                    state.changed.extend(rest.splitn(9, ' ').nth(8).map(visible));
                    // A rename is followed by the name that the file had.
                    entries.next();
                }
                "u" => state.changed.extend(rest.splitn(10, ' ').nth(9).map(visible)),
                _ => {}
            }
        }
        state
    }

    fn head(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("branch.oid", commit)) if commit != "(initial)" => self.commit = Some(commit.to_owned()),
            Some(("branch.head", branch)) if branch != "(detached)" => self.branch = Some(branch.to_owned()),
            _ => {}
        }
    }
}

/// Reads `git worktree list --porcelain`, without the branch of this work tree.
fn elsewhere(list: &str, own: Option<&str>) -> Vec<String> {
    let branches = list.lines().filter_map(|line| line.strip_prefix("branch refs/heads/"));
    branches.filter(|branch| Some(*branch) != own).map(str::to_owned).collect()
}

/// Returns what a git that only reads prints.
pub(super) fn ask(repository: &Repository, args: &[&str]) -> Result<String, GitError> {
    let (ended, out) = read(repository, args, "")?;
    if !ended.ok {
        return Err(GitError::Git { what: verb(args), why: ended.why() });
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Reads the state of a repository's work tree.
#[derive(Clone, Debug, Serialize)]
pub struct ReadWorkTree {
    pub repository: String,
}

impl Read for ReadWorkTree {
    type Outcome = WorkTree;
    const NAME: &'static str = "read_work_tree";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        "check the work tree".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<WorkTree, Failure> {
        Ok(WorkTree::of(&Repository::of(&self.repository, &at)?)?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<WorkTree> {
        let real = WorkTree::of(&here(&self.repository)?).map_err(Failure::from)?;
        Ok(match model.checked_out.get(&self.repository) {
            Some(branch) => WorkTree { branch: Some(branch.clone()), ..real },
            None => real,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_work_tree_says_what_is_checked_out_what_differs_and_what_git_is_doing() {
        let sample = Sample::new();
        let at = sample.repository();
        let state = || WorkTree::of(&at).unwrap();
        let first = sample.git(&["rev-parse", "HEAD"]);
        sample.write("untracked", b"1");
        let clean = WorkTree { branch: Some("main".into()), commit: Some(first.clone()), ..WorkTree::default() };
        assert_eq!(state(), clean);

        sample.git(&["mv", "README", "an old name"]);
        assert_eq!(state().changed, ["an old name"]);
        sample.git(&["reset", "-q", "--hard"]);
        sample.write("README", b"changed");
        assert_eq!(state().changed, ["README"]);
        sample.git(&["checkout", "-q", "--", "README"]);

        sample.git(&["checkout", "-q", "-b", "side"]);
        sample.commit("README", "side");
        sample.git(&["checkout", "-q", "main"]);
        let second = sample.commit("README", "main");
        let _ = std::process::Command::new("git").arg("-C").arg(&sample.work).args(["merge", "-q", "side"]).output();
        assert_eq!((state().doing.as_deref(), state().changed), (Some("merge"), vec!["README".to_owned()]));
        sample.git(&["merge", "--abort"]);
        sample.git(&["checkout", "-q", "--detach"]);
        assert_eq!(state(), WorkTree { commit: Some(second), ..WorkTree::default() });
    }
}
