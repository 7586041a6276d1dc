//! Primitives for branching models: refs, work trees, and merges that you prepare before any branch moves.
use super::git::worked_in;
use crate::{
    git::{
        Joined, ListRefs, Merge, MoveRefs, MoveWorkTree, Pick, Prepare, PrepareTag, PushRefs, ReadRef, ReadSettings,
        ReadWorkTree, RefMove, SetSetting, WorkTreeMove,
    },
    script::{Here, RhaiResultOf, here},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

/// Turns a text that may be absent into what a script has.
pub(super) fn optional(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

/// Reads a key of a map; `None` if it's absent or `()`.
fn key(map: &Map, name: &str) -> Option<String> {
    map.get(name).filter(|value| !value.is_unit()).map(Dynamic::to_string)
}

/// Reads where refs go, as a script has it: a list of maps.
fn moves_of(list: Array) -> RhaiResultOf<Vec<RefMove>> {
    let moved = |one: Dynamic| -> RhaiResultOf<RefMove> {
        let map = one.try_cast_result::<Map>().map_err(|_| "each move is a map, such as #{ name: …, to: … }")?;
        let (old, new) = (key(&map, "from"), key(&map, "to"));
        let commit = key(&map, "commit").or_else(|| new.clone());
        Ok(RefMove { name: key(&map, "name").unwrap_or_default(), old, new, commit })
    };
    list.into_iter().map(moved).collect()
}

/// Returns the commit that a ref leads to, by its full name.
fn led_to(here: &Here, name: String) -> RhaiResultOf<Dynamic> {
    Ok(optional(here.perform(ReadRef { repository: worked_in(here)?, name, object: false })?))
}

fn map_of(texts: std::collections::BTreeMap<String, String>) -> Map {
    texts.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn move_work_tree(ctx: &NativeCallContext, branch: &str, how: WorkTreeMove) -> RhaiResultOf<()> {
    let here = here(ctx)?.clone();
    here.perform(MoveWorkTree { repository: worked_in(&here)?, branch: branch.to_owned(), how })
}

/// Prepares a merge that a script describes in words.
fn prepare(here: &Here, squash: bool, words: [&str; 4]) -> RhaiResultOf<String> {
    let [into, onto, merged, tip] = words.map(str::to_owned);
    let what = Joined::Merge(Merge { merged, tip, squash });
    here.perform(Prepare { repository: worked_in(here)?, into, onto, what })
}

#[export_module(manifest)]
pub(super) mod git_flow {
    /// Returns the git settings with names that begin with a prefix, as a map of names to values.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let prefix = git::settings("gitflow.").get("gitflow.prefix.hotfix") ?? "hotfix/";
    /// ```
    #[rhai_fn(name = "settings", return_raw)]
    pub(crate) fn settings(ctx: NativeCallContext, prefix: &str) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let (repository, prefix) = (worked_in(&here)?, prefix.to_owned());
        here.perform(ReadSettings { repository, prefix, file: None }).map(map_of)
    }

    /// Returns the settings in a file of the work tree that has the format of a git configuration.
    ///
    /// If the file doesn't exist, the map is empty.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let team = git::settings("gitflow.", ".gitflow");
    /// ```
    #[rhai_fn(name = "settings", return_raw)]
    pub(crate) fn settings_in(ctx: NativeCallContext, prefix: &str, file: &str) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let (repository, prefix) = (worked_in(&here)?, prefix.to_owned());
        here.perform(ReadSettings { repository, prefix, file: Some(file.to_owned()) }).map(map_of)
    }

    /// Writes a git setting of the repository, or removes the setting if the value is `()`.
    ///
    /// You can write only the settings of branches and of git-flow: `branch.…` and `gitflow.…`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::set("gitflow.branch.master", "main");
    /// ```
    #[rhai_fn(name = "set", return_raw)]
    pub(crate) fn set(ctx: NativeCallContext, name: &str, value: Dynamic) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let value = (!value.is_unit()).then(|| value.to_string());
        here.perform(SetSetting { repository: worked_in(&here)?, name: name.to_owned(), value })
    }

    /// Returns what is checked out: a map with `branch`, `commit`, `changed`, `doing`, `shallow` and `elsewhere`.
    ///
    /// `branch` is `()` if the head is detached. `changed` lists the tracked files that differ from the commit. `doing`
    /// is what git is in the middle of, such as a `merge`; otherwise it's `()`. `shallow` is whether the repository is
    /// a shallow clone. `elsewhere` lists the branches that are checked out in other work trees of the repository.
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
        let elsewhere: Array = tree.elsewhere.into_iter().map(Dynamic::from).collect();
        map.insert("elsewhere".into(), elsewhere.into());
        Ok(map)
    }

    /// Returns the commit of your own branch; `()` if you have no such branch.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let mine = git::local("main");
    /// ```
    #[rhai_fn(name = "local", return_raw)]
    pub(crate) fn local(ctx: NativeCallContext, branch: &str) -> RhaiResultOf<Dynamic> {
        led_to(&here(&ctx)?.clone(), format!("refs/heads/{branch}"))
    }

    /// Returns the commit of the remote's branch, as last fetched; `()` if the remote has no such branch.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::fetch();
    /// let theirs = git::remote("main");
    /// ```
    #[rhai_fn(name = "remote", return_raw)]
    pub(crate) fn remote(ctx: NativeCallContext, branch: &str) -> RhaiResultOf<Dynamic> {
        led_to(&here(&ctx)?.clone(), format!("refs/rfab/heads/{branch}"))
    }

    /// Returns the commit of the remote's tag, as last fetched, or else of your own; `()` if there is no such tag.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if git::tagged("v3.0.2") != () { throw "v3.0.2 is tagged already"; }
    /// ```
    #[rhai_fn(name = "tagged", return_raw)]
    pub(crate) fn tagged(ctx: NativeCallContext, tag: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let there = led_to(&here, format!("refs/rfab/tags/{tag}"))?;
        if there.is_unit() { led_to(&here, format!("refs/tags/{tag}")) } else { Ok(there) }
    }

    /// Returns the id of the object that a ref points to; `()` if there is no such ref. Pass the ref's full name.
    ///
    /// A branch points to a commit. An annotated tag points to a tag object.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tag = git::object("refs/tags/v3.0.1");
    /// ```
    #[rhai_fn(name = "object", return_raw)]
    pub(crate) fn object(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let name = name.to_owned();
        Ok(optional(here.perform(ReadRef { repository: worked_in(&here)?, name, object: true })?))
    }

    /// Returns the refs below a prefix, as a map of the rest of each name to its commit.
    ///
    /// Your branches are below `refs/heads/`. The remote's branches, as last fetched, are below `refs/rfab/heads/`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for version in git::refs("refs/heads/hotfix/").keys() { ui::note(version); }
    /// ```
    #[rhai_fn(name = "refs", return_raw)]
    pub(crate) fn refs(ctx: NativeCallContext, prefix: &str) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        here.perform(ListRefs { repository: worked_in(&here)?, prefix: prefix.to_owned() }).map(map_of)
    }

    /// Creates a branch that begins at a commit, and switches to it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::start_branch("hotfix/3.0.2", git::resolve("stable").id);
    /// ```
    #[rhai_fn(name = "start_branch", return_raw)]
    pub(crate) fn start_branch(ctx: NativeCallContext, name: &str, commit: &str) -> RhaiResultOf<()> {
        move_work_tree(&ctx, name, WorkTreeMove::Create(commit.to_owned()))
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
        move_work_tree(&ctx, name, WorkTreeMove::Switch)
    }

    /// Prepares a merge, and returns its commit. No branch moves until `git::move_refs` moves it.
    ///
    /// `onto` is the commit of the branch `into`. `merged` is the full name of the branch or tag to merge, and `tip` is
    /// the object that it points to. The result is always a merge commit, as with `--no-ff`. If there is a conflict,
    /// the failure lists the files.
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
        prepare(&here(&ctx)?.clone(), false, [into, onto, merged, tip])
    }

    /// Prepares one commit with all the changes of a branch, as `git merge --squash` does.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let main = git::resolve("main").id;
    /// let squashed = git::prepare_squash("main", main, "refs/tags/v3.0.1", git::resolve("v3.0.1").id);
    /// ```
    #[rhai_fn(name = "prepare_squash", return_raw)]
    pub(crate) fn prepare_squash(
        ctx: NativeCallContext,
        into: &str,
        onto: &str,
        merged: &str,
        tip: &str,
    ) -> RhaiResultOf<String> {
        prepare(&here(&ctx)?.clone(), true, [into, onto, merged, tip])
    }

    /// Prepares a cherry-pick, and returns its commit. No branch moves until `git::move_refs` moves it.
    ///
    /// `onto` is the commit of the branch `into`. The message names the commit that was picked, as with `-x`. If you
    /// pick a merge, rfab picks its changes relative to its first parent. If the branch already has the changes, the
    /// result is `onto`. If there is a conflict, the failure lists the files.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let main = git::resolve("main").id;
    /// let picked = git::prepare_pick("main", main, git::resolve("v3.0.1").id);
    /// ```
    #[rhai_fn(name = "prepare_pick", return_raw)]
    pub(crate) fn prepare_pick(ctx: NativeCallContext, into: &str, onto: &str, commit: &str) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let [into, onto, commit] = [into, onto, commit].map(str::to_owned);
        let what = Joined::Pick(Pick { commit });
        here.perform(Prepare { repository: worked_in(&here)?, into, onto, what })
    }

    /// Begins a cherry-pick that has a conflict, and leaves it in the work tree for you to finish.
    ///
    /// It checks out `into`, moves it forward to `onto`, and picks the commit.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::start_pick("main", git::resolve("main").id, git::resolve("v3.0.1").id);
    /// ```
    #[rhai_fn(name = "start_pick", return_raw)]
    pub(crate) fn start_pick(ctx: NativeCallContext, into: &str, onto: &str, commit: &str) -> RhaiResultOf<()> {
        let [onto, commit] = [onto, commit].map(str::to_owned);
        move_work_tree(&ctx, into, WorkTreeMove::Pick { onto, commit })
    }

    /// Begins a merge that has a conflict, and leaves it in the work tree for you to finish.
    ///
    /// It checks out `into`, moves it forward to `onto`, and merges the branch or tag.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::start_merge("main", git::resolve("main").id, "v3.0.1");
    /// ```
    #[rhai_fn(name = "start_merge", return_raw)]
    pub(crate) fn start_merge(ctx: NativeCallContext, into: &str, onto: &str, merged: &str) -> RhaiResultOf<()> {
        let [onto, name] = [onto, merged].map(str::to_owned);
        move_work_tree(&ctx, into, WorkTreeMove::Merge { onto, name })
    }

    /// Moves the branch that is checked out forward to a commit, and updates the files.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::forward("main", git::resolve("main").id);
    /// ```
    #[rhai_fn(name = "forward", return_raw)]
    pub(crate) fn forward(ctx: NativeCallContext, branch: &str, commit: &str) -> RhaiResultOf<()> {
        move_work_tree(&ctx, branch, WorkTreeMove::Forward(commit.to_owned()))
    }

    /// Prepares an annotated tag of a commit, and returns the id of the tag object.
    ///
    /// The tag doesn't exist until `git::move_refs` creates it. If `sign` is `true`, rfab signs the tag even if your
    /// git settings don't ask for that.
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
        here.perform(PrepareTag { repository: worked_in(&here)?, name, commit, message, sign, key: None })
    }

    /// Prepares an annotated tag of a commit, signed with this key.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tag = git::prepare_tag("v3.0.2", git::resolve("main").id, "the second hotfix", "anna@example.org");
    /// ```
    #[rhai_fn(name = "prepare_tag", return_raw)]
    pub(crate) fn prepare_tag_with(
        ctx: NativeCallContext,
        name: &str,
        commit: &str,
        message: &str,
        key: &str,
    ) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let [name, commit, message, key] = [name, commit, message, key].map(str::to_owned);
        here.perform(PrepareTag { repository: worked_in(&here)?, name, commit, message, sign: true, key: Some(key) })
    }

    /// Moves branches and tags in one transaction: all of them, or none.
    ///
    /// Each move is a map with the full `name` of the ref, and the objects `from` and `to`. If `to` is a tag object,
    /// add the `commit` that it tags. Without `from`, rfab creates the ref. Without `to`, rfab deletes it. If a ref is
    /// no longer at `from`, nothing moves.
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
        here.perform(MoveRefs { repository: worked_in(&here)?, moves: moves_of(moves)?, why: why.to_owned() })
    }

    /// Moves branches and tags of the remote in one push: all of them, or none, and never by force.
    ///
    /// The maps have the same keys as for `git::move_refs`. rfab can push an object that none of your refs points to.
    /// Without `to`, rfab deletes the ref if it's still at `from`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let commit = git::resolve("stable").id;
    /// git::push_refs([#{ name: "refs/heads/support/3.x", to: commit }]);
    /// ```
    #[rhai_fn(name = "push_refs", return_raw)]
    pub(crate) fn push_refs(ctx: NativeCallContext, moves: Array) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        here.perform(PushRefs { repository: worked_in(&here)?, moves: moves_of(moves)? })
    }
}
