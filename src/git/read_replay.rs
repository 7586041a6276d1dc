//! Whether commits are others that were made again, as a rebase does.
use super::{
    GitError, Repository,
    merged_tree::{MergedTree, are_here},
    parents::{parents, parents_in},
    pick::short,
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

/// The most commits that rfab compares.
const MOST: usize = 100;

/// Finds the commits up to one that are those up to another, made again on top of something else: newest first.
///
/// Each has exactly the files that git gets if it picks the commits that only the other one has, in order. Merges aren't
/// picked, and each must have exactly the files that git merges its parents to. Nothing if it isn't so. `None` if rfab can't tell: one isn't here, or git is older than 2.38.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReplay {
    pub repository: String,
    pub commit: String,
    pub other: String,
}

impl Read for ReadReplay {
    type Outcome = Option<Vec<String>>;
    const NAME: &'static str = "read_replay";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} is {} made again", short(&self.commit), short(&self.other))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Self::Outcome, Failure> {
        let repository = Repository::of(&self.repository, &at)?;
        let (commit, other) = (whole_commit(&self.commit)?, whole_commit(&self.other)?);
        // In a partial clone, git fetches the files that differ.
        let both = format!("{commit}...{other}");
        git(&repository, &["log", "--shortstat", "--format=", "--max-count=400", &both, "--"], WITHIN).await?;
        let (most, not) = (format!("--max-count={MOST}"), format!("^{commit}"));
        let merges = ["log", "--merges", "-m", "--shortstat", "--format=", &most, other, &not, "--"];
        git(&repository, &merges, WITHIN).await?;
        Ok(replay(&repository, commit, other)?)
    }

    /// A commit that only the model has is none that was made again.
    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome> {
        if parents_in(model, &self.repository, &self.commit).is_some() {
            return Ok(Some(Vec::new()));
        }
        Ok(replay(&here(&self.repository)?, &self.commit, &self.other).map_err(Failure::from)?)
    }
}

fn replay(repository: &Repository, commit: &str, other: &str) -> Result<Option<Vec<String>>, GitError> {
    let (commit, other) = (whole_commit(commit)?, whole_commit(other)?);
    if !are_here(repository, &[commit, other])? {
        return Ok(None);
    }
    let most = format!("--max-count={}", MOST + 1);
    let not = format!("^{commit}");
    let listed = ask(repository, &["rev-list", "--no-merges", "--topo-order", &most, other, &not, "--"])?;
    let picks: Vec<&str> = listed.lines().rev().collect();
    if picks.is_empty() || picks.len() > MOST {
        return Ok(Some(Vec::new()));
    }
    match has_plain_merges(repository, other, &not)? {
        Some(true) => {}
        Some(false) => return Ok(Some(Vec::new())),
        None => return Ok(None),
    }
    let line =
        ask(repository, &["log", "--first-parent", &most, "--format=%H %T %P", "--no-show-signature", commit, "--"])?;
    let line: Vec<Made> = line.lines().filter_map(Made::of).collect();
    // A pick that changes nothing leaves no commit.
    for count in (1..=picks.len().min(line.len().saturating_sub(1))).rev() {
        let (series, below) = (&line[..count], &line[count]);
        if series.iter().all(|made| made.is_single) {
            match picked(repository, &picks, series, &below.tree)? {
                Some(true) => return Ok(Some(series.iter().map(|made| made.id.clone()).collect())),
                Some(false) => {}
                None => return Ok(None),
            }
        }
    }
    Ok(Some(Vec::new()))
}

/// Checks whether nobody changed anything by hand in the merges of a branch: a rebase leaves out merges, and with them what
/// was taken out in one. `None` if git can't merge so.
fn has_plain_merges(repository: &Repository, branch: &str, not: &str) -> Result<Option<bool>, GitError> {
    let most = format!("--max-count={}", MOST + 1);
    let args = ["log", "--merges", "--format=%T %P", "--no-show-signature", &most, branch, not, "--"];
    let listed = ask(repository, &args)?;
    let merges: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    if merges.len() > MOST {
        return Ok(Some(false));
    }
    for merge in merges {
        let [tree, onto, other] = merge[..] else { return Ok(Some(false)) };
        let is_plain = MergedTree::read(repository, onto, other)?.is(tree);
        if is_plain != Some(true) {
            return Ok(is_plain);
        }
    }
    Ok(Some(true))
}

/// A commit on the line of the one that is checked.
struct Made {
    id: String,
    tree: String,
    /// Whether it has one parent.
    is_single: bool,
}

impl Made {
    fn of(line: &str) -> Option<Made> {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Made { id: words.next()?, tree: words.next()?, is_single: words.count() == 1 })
    }
}

/// Checks whether picks on top of a tree give a series of commits, which is newest first; `None` if git can't merge so.
fn picked(repository: &Repository, picks: &[&str], series: &[Made], below: &str) -> Result<Option<bool>, GitError> {
    let mut left: Vec<&str> = series.iter().map(|made| &*made.tree).collect();
    let mut now = below.to_owned();
    for pick in picks {
        let [before] = &parents(repository, pick)?[..] else { return Ok(Some(false)) };
        // Seen from its parent, a commit with the files so far is the other side of the merge that a pick is.
        let text = format!("tree {now}\nparent {before}\nauthor rfab <> 0 +0000\ncommitter rfab <> 0 +0000\n\n");
        let (ended, out) = read(repository, &["hash-object", "-t", "commit", "-w", "--stdin"], &text)?;
        let side = String::from_utf8_lossy(&out).trim().to_owned();
        if !ended.ok {
            return Err(GitError::Git { what: "hash-object".to_owned(), why: ended.why() });
        }
        let tree = match MergedTree::read(repository, &side, pick)? {
            MergedTree::Clean(tree) => tree,
            MergedTree::Conflicting => return Ok(Some(false)),
            MergedTree::TooOld => return Ok(None),
        };
        if tree != now && left.pop() != Some(&*tree) {
            return Ok(Some(false));
        }
        now = tree;
    }
    Ok(Some(left.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    struct Fork {
        sample: Sample,
        /// Where the branch `fix` ends, whose commits change the same line twice, and another file.
        fix: String,
    }

    impl Fork {
        fn new() -> Fork {
            let sample = Sample::new();
            sample.git(&["checkout", "-q", "-b", "fix"]);
            sample.commit("a", "1");
            sample.commit("a", "2");
            let fix = sample.commit("b", "1");
            sample.git(&["checkout", "-q", "main"]);
            sample.commit("other", "1");
            Fork { sample, fix }
        }

        fn found(&self) -> Option<usize> {
            let head = self.sample.git(&["rev-parse", "HEAD"]);
            let found = replay(&self.sample.repository(), &head, &self.fix).unwrap()?;
            assert!(found.is_empty() || found[0] == head);
            Some(found.len())
        }

        fn pick(&self, commits: &[&str]) {
            commits.iter().for_each(|commit| _ = self.sample.git(&["cherry-pick", commit]));
        }
    }

    #[test]
    fn commits_that_were_rebased_are_found_and_no_others() {
        let fork = Fork::new();
        fork.pick(&["fix~2", "fix~1", "fix"]);
        assert_eq!(fork.found(), Some(3));
        fork.sample.commit("c", "1");
        assert_eq!(fork.found(), Some(0), "one more came after it");
        assert_eq!(replay(&fork.sample.repository(), &fork.fix, &"0".repeat(40)).unwrap(), None);
    }

    #[test]
    fn a_commit_that_is_left_out_changed_or_in_another_order_is_none_of_them() {
        let fork = Fork::new();
        fork.pick(&["fix~2", "fix~1"]);
        assert_eq!(fork.found(), Some(0), "the last is missing");
        let fork = Fork::new();
        fork.pick(&["fix~2", "fix", "fix~1"]);
        assert_eq!(fork.found(), Some(1), "the last one, on top of what the others changed");
        for (file, text) in [("b", "1\n"), ("b", "2"), ("sneaked", "in")] {
            let fork = Fork::new();
            fork.pick(&["fix~2", "fix~1", "fix"]);
            fork.sample.write(file, text.as_bytes());
            fork.sample.git(&["add", file]);
            fork.sample.git(&["commit", "-q", "--amend", "--no-edit"]);
            assert_eq!(fork.found(), Some(0), "{file}");
        }
    }

    #[test]
    fn what_the_branch_has_already_leaves_no_commit_and_a_merge_is_none() {
        let fork = Fork::new();
        fork.pick(&["fix"]);
        fork.sample.commit("other", "2");
        fork.pick(&["fix~2", "fix~1"]);
        assert_eq!(fork.found(), Some(2), "its last change was there before");
        let fork = Fork::new();
        fork.sample.git(&["merge", "-q", "--no-ff", "--no-edit", "fix~1"]);
        fork.pick(&["fix"]);
        assert_eq!(fork.found(), Some(1), "only the last is new");
        let fork = Fork::new();
        fork.sample.git(&["merge", "-q", "--squash", "fix"]);
        fork.sample.git(&["commit", "-q", "-m", "squashed"]);
        assert_eq!(fork.found(), Some(0), "a squash is one commit of three");
    }

    /// Merges main into the reviewed branch, with a file as a person leaves it in that merge. Then the branch is rebased
    /// without the merge, and one more commit.
    fn with_merge(by_hand: Option<(&str, &str)>) -> Fork {
        let mut fork = Fork::new();
        let sample = &fork.sample;
        let merged = sample.git(&["rev-parse", "main"]);
        sample.git(&["checkout", "-q", "fix"]);
        sample.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
        if let Some((file, text)) = by_hand {
            sample.write(file, text.as_bytes());
            sample.git(&["add", file]);
        }
        sample.git(&["commit", "-q", "-m", "merge"]);
        fork.fix = sample.commit("c", "1");
        sample.git(&["checkout", "-q", "-B", "main", &merged]);
        fork.pick(&["fix~4", "fix~3", "fix~2", "fix"]);
        fork
    }

    #[test]
    fn a_branch_with_a_merge_that_somebody_edited_is_never_made_again() {
        assert_eq!(with_merge(None).found(), Some(4));
        for by_hand in [("a", "harmless"), ("b", "harmless"), ("other", "2"), ("sneaked", "in")] {
            assert_eq!(with_merge(Some(by_hand)).found(), Some(0), "{by_hand:?}");
        }
    }

    #[test]
    fn a_branch_with_a_merge_of_three_parents_is_never_made_again() {
        let mut fork = Fork::new();
        let sample = &fork.sample;
        let tips = ["one", "two"].map(|name| {
            sample.git(&["checkout", "-q", "-b", name, "main"]);
            sample.commit(name, "1")
        });
        sample.git(&["checkout", "-q", "fix"]);
        sample.git(&["merge", "-q", "--no-edit", &tips[0], &tips[1]]);
        fork.fix = sample.git(&["rev-parse", "HEAD"]);
        sample.git(&["checkout", "-q", "main"]);
        tips.iter().for_each(|tip| _ = sample.git(&["merge", "-q", "--no-ff", "--no-edit", tip]));
        fork.pick(&["fix~3", "fix~2", "fix~1"]);
        assert_eq!(fork.found(), Some(0));
    }
}
