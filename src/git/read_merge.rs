//! Whether a commit is nothing but a merge.
use super::{
    GitError, Repository,
    merged_tree::{MergedTree, are_here},
    parents::parents_in,
    pick::short,
    process::git,
    reading::{WITHIN, here},
    work_tree::ask,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Checks whether a commit has exactly the files that git merges its first parent and another commit to.
///
/// The last of several commits that were made again by a rebase doesn't count, because those before it are more than the
/// merge would be. `None` if rfab can't tell: one of the two isn't here, or git is older than 2.38.
#[derive(Clone, Debug, Serialize)]
pub struct ReadIsMerge {
    pub repository: String,
    pub commit: String,
    pub other: String,
}

impl Read for ReadIsMerge {
    type Outcome = Option<bool>;
    const NAME: &'static str = "read_is_merge";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} only merges {}", short(&self.commit), short(&self.other))
    }

    /// In a partial clone, git fetches the files that it merges.
    async fn carry_out(&self, at: At<'_>) -> Result<Option<bool>, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        if !are_here(&repository, &[&self.commit, &self.other])? {
            return Ok(None);
        }
        let Some((onto, tree)) = self.parent(&repository)? else { return Ok(Some(false)) };
        let ended = git(&repository, &MergedTree::args(&onto, &self.other), WITHIN).await?;
        Ok(MergedTree::of(&ended, &ended.out)?.is(&tree))
    }

    /// A merge that only the model has is nothing else, because the model knows no conflicts.
    fn predict(&self, model: &mut Model) -> Predicted<Option<bool>> {
        if let Some(parents) = parents_in(model, &self.repository, &self.commit) {
            return Ok(Some(parents.get(1) == Some(&self.other)));
        }
        Ok(self.judged(&here(&self.repository)?).map_err(Failure::from)?)
    }
}

impl ReadIsMerge {
    fn judged(&self, repository: &Repository) -> Result<Option<bool>, GitError> {
        if !are_here(repository, &[&self.commit, &self.other])? {
            return Ok(None);
        }
        let Some((onto, tree)) = self.parent(repository)? else { return Ok(Some(false)) };
        Ok(MergedTree::read(repository, &onto, &self.other)?.is(&tree))
    }

    /// Returns what the commit merges into, and the tree that should come of it; `None` if it can't be a merge.
    fn parent(&self, repository: &Repository) -> Result<Option<(String, String)>, GitError> {
        let told = ask(repository, &["log", "-1", "--no-show-signature", "--format=%T %P", &self.commit, "--"])?;
        let words: Vec<&str> = told.split_whitespace().collect();
        let [tree, onto, others @ ..] = &words[..] else { return Ok(None) };
        let is_last = others.is_empty() && self.follows_its_own(repository, onto)?;
        Ok((!is_last).then(|| ((*onto).to_owned(), (*tree).to_owned())))
    }

    /// Returns whether what is below the commit was made again of a commit that only the other one has. A rebase keeps
    /// author, date and subject.
    fn follows_its_own(&self, repository: &Repository, below: &str) -> Result<bool, GitError> {
        let log = ["log", "--no-show-signature", "--format=%at %ae %an %s"];
        let made = ask(repository, &[&log[..], &["-1", below, "--"]].concat())?;
        let not = format!("^{}", self.commit);
        let own = ask(repository, &[&log[..], &["--no-merges", &self.other, &not, "--"]].concat())?;
        Ok(own.lines().any(|line| line == made.trim_end_matches('\n')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{process::read, sample::Sample};

    #[test]
    fn a_merge_is_one_unless_a_person_changed_something_in_it() {
        let sample = Sample::new();
        let at = sample.repository();
        // Git warns of this in each merge.
        sample.commit(".gitattributes", "!*.foo text");
        let judged = |commit: &str, other: &str| {
            let read_merge =
                ReadIsMerge { repository: String::new(), commit: commit.to_owned(), other: other.to_owned() };
            read_merge.judged(&at).unwrap()
        };
        let head = || sample.git(&["rev-parse", "HEAD"]);
        let branch = |name: &str, file: &str, text: &str| {
            sample.git(&["checkout", "-q", "-b", name]);
            let tip = sample.commit(file, text);
            sample.git(&["checkout", "-q", "main"]);
            tip
        };
        let first = branch("first", "b", "1");
        sample.commit("main", "1");
        sample.git(&["merge", "-q", "--no-ff", "--no-edit", "first"]);
        assert_eq!(judged(&head(), &first), Some(true));
        let second = branch("second", "c", "1");
        sample.git(&["merge", "-q", "--squash", "second"]);
        sample.git(&["commit", "-q", "-m", "squashed"]);
        assert_eq!(judged(&head(), &second), Some(true));
        assert_eq!(judged(&head(), &first), Some(false));
        // Somebody changes a file in the merge.
        let third = branch("third", "d", "1");
        sample.git(&["merge", "-q", "--no-ff", "--no-commit", "third"]);
        sample.write("d", b"other");
        sample.git(&["commit", "-q", "-a", "--no-edit"]);
        assert_eq!(judged(&head(), &third), Some(false));
        // Somebody solves a conflict.
        let fourth = branch("fourth", "a", "theirs");
        sample.commit("a", "ours");
        let (ended, _) = read(&at, &["merge", "-q", "--no-edit", "fourth"], "").unwrap();
        assert!(!ended.ok);
        sample.write("a", b"both");
        sample.git(&["commit", "-q", "-a", "--no-edit"]);
        assert_eq!(judged(&head(), &fourth), Some(false));
        assert_eq!(judged(&head(), &"0".repeat(40)), None);
        assert_eq!(judged(&"0".repeat(40), &head()), None);
        let root = sample.git(&["rev-list", "--max-parents=0", "HEAD"]);
        assert_eq!(judged(&root, &head()), Some(false));
    }

    #[test]
    fn the_last_commit_of_a_rebase_is_no_merge_of_all_that_was_rebased() {
        let sample = Sample::new();
        sample.git(&["checkout", "-q", "-b", "fix"]);
        sample.commit("b", "1");
        let fix = sample.commit("c", "1");
        sample.git(&["checkout", "-q", "main"]);
        let base = sample.commit("main", "1");
        let is_merge = || {
            let commit = sample.git(&["rev-parse", "HEAD"]);
            let read_merge = ReadIsMerge { repository: String::new(), commit, other: fix.clone() };
            read_merge.judged(&sample.repository()).unwrap()
        };
        sample.git(&["cherry-pick", "fix~1", "fix"]);
        assert_eq!(is_merge(), Some(false));
        sample.git(&["reset", "-q", "--hard", &base]);
        sample.git(&["merge", "-q", "--squash", "fix"]);
        sample.git(&["commit", "-q", "-m", "squashed"]);
        assert_eq!(is_merge(), Some(true));
    }
}
