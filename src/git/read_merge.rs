//! Whether a commit is nothing but a merge.
use super::{
    GitError, Repository,
    parents::parents_in,
    process::{git, read},
    reading::{WITHIN, here},
    work_tree::ask,
    write::whole_commit,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Checks whether a commit has exactly the files that git merges its first parent and another commit to.
///
/// `None` if that can't be told: the other commit isn't here, or git is older than 2.38.
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
        let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
        format!("check whether {} only merges {}", short(&self.commit), short(&self.other))
    }

    /// In a partial clone, git fetches the files that it merges.
    async fn carry_out(&self, at: At<'_>) -> Result<Option<bool>, Failure> {
        let repository = Repository::locate(&self.repository, &at.real.cache.join("mirrors"))?;
        let Some(merge) = self.sides(&repository)? else { return Ok(None) };
        let ended = git(&repository, &merge.args(), WITHIN).await?;
        Ok(merge.judged(ended.ok, &ended.out, &ended.err))
    }

    /// A merge that only the model has is nothing else, because the model knows no conflicts.
    fn predict(&self, model: &mut Model) -> Predicted<Option<bool>> {
        if let Some(parents) = parents_in(model, &self.repository, &self.commit) {
            return Ok(Some(parents.get(1) == Some(&self.other)));
        }
        let repository = here(&self.repository)?;
        let Some(merge) = self.sides(&repository).map_err(Failure::from)? else { return Ok(None) };
        let (ended, out) = read(&repository, &merge.args(), "").map_err(Failure::from)?;
        Ok(merge.judged(ended.ok, &String::from_utf8_lossy(&out), &ended.err))
    }
}

/// What git merges, and the tree that should come of it.
struct Sides {
    onto: String,
    other: String,
    tree: String,
}

impl ReadIsMerge {
    /// Returns `None` if the commit has no parent, or the other commit isn't here.
    fn sides(&self, repository: &Repository) -> Result<Option<Sides>, GitError> {
        let (commit, other) = (whole_commit(&self.commit)?, whole_commit(&self.other)?);
        let (ended, _) = read(repository, &["cat-file", "-e", &format!("{other}^{{commit}}")], "")?;
        if !ended.ok {
            return Ok(None);
        }
        let told = ask(repository, &["log", "-1", "--no-show-signature", "--format=%T %P", commit, "--"])?;
        let mut words = told.split_whitespace().map(str::to_owned);
        let (Some(tree), Some(onto)) = (words.next(), words.next()) else { return Ok(None) };
        Ok(Some(Sides { onto, other: other.to_owned(), tree }))
    }
}

impl Sides {
    fn args(&self) -> [&str; 5] {
        ["merge-tree", "--write-tree", "--no-messages", &self.onto, &self.other]
    }

    /// Reads what `git merge-tree` prints: a tree, also of a merge that conflicts; then it fails.
    fn judged(&self, ok: bool, out: &str, err: &str) -> Option<bool> {
        let tree = out.lines().next().unwrap_or_default();
        let is_known = err.is_empty() && tree.len() == self.tree.len();
        is_known.then(|| ok && tree == self.tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_merge_is_one_unless_a_person_changed_something_in_it() {
        let sample = Sample::new();
        let at = sample.repository();
        let judged = |commit: &str, other: &str| {
            let read_merge =
                ReadIsMerge { repository: String::new(), commit: commit.to_owned(), other: other.to_owned() };
            let merge = read_merge.sides(&at).unwrap()?;
            let (ended, out) = read(&at, &merge.args(), "").unwrap();
            merge.judged(ended.ok, &String::from_utf8_lossy(&out), &ended.err)
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
    }
}
