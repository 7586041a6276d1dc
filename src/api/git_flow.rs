//! Primitives for branching models: refs, work trees, and merges that move nothing yet.
use super::git::worked_in;
use crate::{
    git::{MoveRefs, PrepareMerge, PrepareTag, ReadContains, ReadRef, ReadSettings, ReadWorkTree, RefMove, Switch},
    script::{RhaiResultOf, here},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

/// Turns a text that may be absent into what a script has.
fn optional(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

/// Reads a key of a map; `None` if it's absent or `()`.
fn key(map: &Map, name: &str) -> Option<String> {
    map.get(name).filter(|value| !value.is_unit()).map(Dynamic::to_string)
}

#[export_module(manifest)]
pub(super) mod git_flow {
    /// Returns the repository's git settings whose names begin with a prefix: a map from names to values.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let prefix = git::settings("gitflow.")["gitflow.prefix.hotfix"] ?? "hotfix/";
    /// ```
    #[rhai_fn(name = "settings", return_raw)]
    pub(crate) fn settings(ctx: NativeCallContext, prefix: &str) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let found = here.perform(ReadSettings { repository: worked_in(&here)?, prefix: prefix.to_owned() })?;
        Ok(found.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Returns what is checked out: a map with `branch`, `commit`, `changed`, `doing` and `shallow`.
    ///
    /// `branch` is `()` if the head is detached. `changed` lists the tracked files that differ from the commit. `doing`
    /// is what git is in the middle of, such as `merge`, or `()`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tree = git::work_tree();
    /// if !tree.changed.is_empty() { throw `commit or stash ${tree.changed}`; }
    /// ```
    #[rhai_fn(name = "work_tree", return_raw)]
    pub(crate) fn work_tree(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let tree = here.perform(ReadWorkTree { repository: worked_in(&here)? })?;
        let changed: Array = tree.changed.into_iter().map(Dynamic::from).collect();
        let mut map = Map::new();
        map.insert("branch".into(), optional(tree.branch));
        map.insert("commit".into(), optional(tree.commit));
        map.insert("changed".into(), changed.into());
        map.insert("doing".into(), optional(tree.doing));
        map.insert("shallow".into(), tree.shallow.into());
        Ok(map)
    }

    /// Returns the commit that your own branch names; `()` if there is no such branch.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let mine = git::local("main");
    /// ```
    #[rhai_fn(name = "local", return_raw)]
    pub(crate) fn local(ctx: NativeCallContext, branch: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let name = format!("refs/heads/{branch}");
        Ok(optional(here.perform(ReadRef { repository: worked_in(&here)?, name })?))
    }

    /// Returns the commit that the remote's branch names, as last fetched; `()` if there is no such branch.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::fetch();
    /// let theirs = git::remote("main");
    /// ```
    #[rhai_fn(name = "remote", return_raw)]
    pub(crate) fn remote(ctx: NativeCallContext, branch: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let name = format!("refs/rfab/heads/{branch}");
        Ok(optional(here.perform(ReadRef { repository: worked_in(&here)?, name })?))
    }

    /// Returns the commit that a tag of your repository names; `()` if there is no such tag.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if git::tagged("v3.0.2") != () { throw "v3.0.2 is tagged already"; }
    /// ```
    #[rhai_fn(name = "tagged", return_raw)]
    pub(crate) fn tagged(ctx: NativeCallContext, tag: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let name = format!("refs/tags/{tag}");
        Ok(optional(here.perform(ReadRef { repository: worked_in(&here)?, name })?))
    }

    /// Returns whether a commit is another, or an ancestor of it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !git::contains(git::resolve("main").id, git::resolve("stable").id) { throw "main lacks the last release"; }
    /// ```
    #[rhai_fn(name = "contains", return_raw)]
    pub(crate) fn contains(ctx: NativeCallContext, commit: &str, ancestor: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        let (commit, ancestor) = (commit.to_owned(), ancestor.to_owned());
        here.perform(ReadContains { repository: worked_in(&here)?, commit, ancestor })
    }

    /// Makes a branch that begins at a commit, and switches to it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::start_branch("hotfix/3.0.2", git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "start_branch", return_raw)]
    pub(crate) fn start_branch(ctx: NativeCallContext, name: &str, commit: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        here.perform(Switch { repository: worked_in(&here)?, branch: name.to_owned(), at: Some(commit.to_owned()) })
    }

    /// Checks out one of your branches.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::checkout("main");
    /// ```
    #[rhai_fn(name = "checkout", return_raw)]
    pub(crate) fn checkout(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        here.perform(Switch { repository: worked_in(&here)?, branch: name.to_owned(), at: None })
    }

    /// Prepares a merge, and returns its commit. No branch moves until `git::move_refs` moves it.
    ///
    /// `onto` is the commit that the branch `into` is at. `merged` is the full name of a branch or a tag, and `tip` what
    /// it names. There is always a merge commit, as with `--no-ff`. A conflict fails with the files.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let main = git::resolve("main").id;
    /// let merge = git::prepare_merge("main", main, "refs/tags/v3.0.1", git::resolve("v3.0.1").id);
    /// ```
    #[rhai_fn(name = "prepare_merge", return_raw)]
    pub(crate) fn prepare_merge(
        ctx: NativeCallContext,
        into: &str,
        onto: &str,
        merged: &str,
        tip: &str,
    ) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let [into, onto, merged, tip] = [into, onto, merged, tip].map(str::to_owned);
        here.perform(PrepareMerge { repository: worked_in(&here)?, into, onto, merged, tip })
    }

    /// Prepares an annotated tag of a commit, and returns its object. It has no name until `git::move_refs` gives it one.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tag = git::prepare_tag("v3.0.2", git::resolve("main").id, "the second hotfix", false);
    /// ```
    #[rhai_fn(name = "prepare_tag", return_raw)]
    pub(crate) fn prepare_tag(
        ctx: NativeCallContext,
        name: &str,
        commit: &str,
        message: &str,
        sign: bool,
    ) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let [name, commit, message] = [name, commit, message].map(str::to_owned);
        here.perform(PrepareTag { repository: worked_in(&here)?, name, commit, message, sign })
    }

    /// Moves branches and tags in one transaction: all of them, or none.
    ///
    /// Each is a map: `name` in full, `from` and `to` (objects; an absent `from` makes the ref, an absent `to` deletes it),
    /// and `commit` if `to` is a tag's object. If a ref isn't at `from` any more, nothing moves.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let commit = git::resolve("stable").id;
    /// git::move_refs([#{ name: "refs/heads/support/3.x", to: commit }], "start support/3.x");
    /// ```
    #[rhai_fn(name = "move_refs", return_raw)]
    pub(crate) fn move_refs(ctx: NativeCallContext, moves: Array, why: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let moves = moves.into_iter().map(|one| {
            let map = one.try_cast_result::<Map>().map_err(|_| "each move is a map, such as #{ name: …, to: … }")?;
            let (old, new) = (key(&map, "from"), key(&map, "to"));
            let commit = key(&map, "commit").or_else(|| new.clone());
            Ok(RefMove { name: key(&map, "name").unwrap_or_default(), old, new, commit })
        });
        let moves = moves.collect::<RhaiResultOf<Vec<RefMove>>>()?;
        here.perform(MoveRefs { repository: worked_in(&here)?, moves, why: why.to_owned() })
    }
}
