//! Primitives for the history of a repository: how commits relate to each other.
use super::{git::worked_in, git_flow::optional};
use crate::{
    git::{ReadAhead, ReadAllAhead, ReadIsMerge, ReadMergedAt, ReadParents, ReadReplay, ReadSteps, ReadTreeId, Step},
    script::{RhaiResultOf, here},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

/// Turns a step into what a script has.
fn step_map(step: Step) -> Dynamic {
    let parents: Array = step.parents.into_iter().map(Dynamic::from).collect();
    let all: [(&str, Dynamic); 3] =
        [("commit", step.commit.into()), ("parents", parents.into()), ("subject", step.subject.into())];
    all.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map>().into()
}

#[export_module(manifest)]
pub(super) mod git_history {
    /// Returns the id of a commit's tree. Two commits with the same tree have the same files.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let is_same = git::tree(git::resolve("main").id) == git::tree(git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "tree", return_raw)]
    pub(crate) fn tree(ctx: NativeCallContext, commit: &str) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        here.perform(ReadTreeId { repository: worked_in(&here)?, commit: commit.to_owned() })
    }

    /// Returns how many commits are in the history of one commit and not in that of another.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let unreleased = git::ahead(git::resolve("main").id, git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "ahead", return_raw)]
    pub(crate) fn ahead(ctx: NativeCallContext, commit: &str, other: &str) -> RhaiResultOf<i64> {
        let here = here(&ctx)?.clone();
        let (commit, other) = (commit.to_owned(), other.to_owned());
        let count = here.perform(ReadAhead { repository: worked_in(&here)?, commit, other })?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Does this for several commits, and returns the counts in the same order. It's faster than one call per commit.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let hotfixes = git::refs("refs/heads/hotfix/");
    /// let counts = git::ahead(hotfixes.values(), git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "ahead", return_raw)]
    pub(crate) fn ahead_all(ctx: NativeCallContext, commits: Array, other: &str) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let commits = commits.into_iter().map(|commit| commit.to_string()).collect();
        let counts = here.perform(ReadAllAhead { repository: worked_in(&here)?, commits, other: other.to_owned() })?;
        Ok(counts.into_iter().map(|count| i64::try_from(count).unwrap_or(i64::MAX).into()).collect())
    }

    /// Returns whether a commit contains another: `ancestor` is an ancestor of `commit`, or the same commit.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !git::contains(git::resolve("main").id, git::resolve("stable").id) { throw "main lacks the last release"; }
    /// ```
    #[rhai_fn(name = "contains", return_raw)]
    pub(crate) fn contains(ctx: NativeCallContext, commit: &str, ancestor: &str) -> RhaiResultOf<bool> {
        Ok(ahead(ctx, ancestor, commit)? == 0)
    }

    /// Returns the commit that brought another commit into a branch; `()` if the branch doesn't contain it.
    ///
    /// `branch` is the branch's newest commit. The result is a merge on the branch's first-parent history, or the
    /// commit itself if the branch was fast-forwarded to it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let merge = git::merged_at(git::resolve("main").id, git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "merged_at", return_raw)]
    pub(crate) fn merged_at(ctx: NativeCallContext, branch: &str, commit: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let (branch, commit) = (branch.to_owned(), commit.to_owned());
        Ok(optional(here.perform(ReadMergedAt { repository: worked_in(&here)?, branch, commit })?))
    }

    /// Returns the parents of a commit.
    ///
    /// For a merge, the first one is where the branch was, and the second one is what was merged.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let is_merge = git::parents(git::resolve("stable").id).len() > 1;
    /// ```
    #[rhai_fn(name = "parents", return_raw)]
    pub(crate) fn parents(ctx: NativeCallContext, commit: &str) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let parents = here.perform(ReadParents { repository: worked_in(&here)?, commit: commit.to_owned() })?;
        Ok(parents.into_iter().map(Dynamic::from).collect())
    }

    /// Returns the steps that lead from a branch to a commit, newest first; `()` if no steps do.
    ///
    /// `branch` is the branch's newest commit. A step is a map with `commit`, `parents` and `subject`, the first line
    /// of the commit's message. A merge and everything that it merged are one step. If the branch itself was once
    /// at the commit, the list is empty.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let steps = git::steps(git::resolve("main").id, git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "steps", return_raw)]
    pub(crate) fn steps(ctx: NativeCallContext, commit: &str, branch: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let (commit, branch) = (commit.to_owned(), branch.to_owned());
        let steps = here.perform(ReadSteps { repository: worked_in(&here)?, commit, branch })?;
        let list = |steps: Vec<Step>| steps.into_iter().map(step_map).collect::<Array>();
        Ok(steps.map_or(Dynamic::UNIT, |steps| list(steps).into()))
    }

    /// Returns whether a commit only merges another commit into its first parent; `()` if rfab can't tell.
    ///
    /// If the commit has exactly the files that git produces when it merges the two, nobody changed anything by hand. A
    /// squash can pass this test. The last of several rebased commits can't. This needs git 2.38 or newer.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let is_clean = git::only_merges(git::resolve("stable").id, git::resolve("main").id);
    /// ```
    #[rhai_fn(name = "only_merges", return_raw)]
    pub(crate) fn only_merges(ctx: NativeCallContext, commit: &str, other: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let (commit, other) = (commit.to_owned(), other.to_owned());
        let answer = here.perform(ReadIsMerge { repository: worked_in(&here)?, commit, other })?;
        Ok(answer.map_or(Dynamic::UNIT, Dynamic::from))
    }
    /// Returns the commits up to this one that are rebased copies of the commits up to another, newest first.
    ///
    /// The list is empty if there are none. The result is `()` if rfab can't tell. To compare, rfab lets git
    /// cherry-pick the commits that only the other one has, in order. Each copy must have exactly the resulting files.
    /// The list is empty even so if one of these commits is a merge in which somebody changed something by hand. This
    /// needs git 2.38 or newer.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let rebased = git::replayed(git::resolve("stable").id, git::resolve("main").id);
    /// ```
    #[rhai_fn(name = "replayed", return_raw)]
    pub(crate) fn replayed(ctx: NativeCallContext, commit: &str, other: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let (commit, other) = (commit.to_owned(), other.to_owned());
        let found = here.perform(ReadReplay { repository: worked_in(&here)?, commit, other })?;
        Ok(found.map_or(Dynamic::UNIT, |all| all.into_iter().map(Dynamic::from).collect::<Array>().into()))
    }
}
