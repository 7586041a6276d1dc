//! Primitives for the app's repository.
use crate::{
    control::shown,
    failure::{Cause, Failure},
    fleet::TagPattern,
    git::{
        Change, ChangeRepository, FetchName, FetchRefs, Pushed, ReadDate, ReadLog, ReadNames, ReadNewestStable,
        Resolve, Resolved, app, version_in,
    },
    model::Commit,
    script::{Here, RhaiResultOf, Targets, current_targets, here, thrown},
};
use rhai::{Array, Dynamic, NativeCallContext, plugin::*};

/// A commit as a script holds it.
#[derive(Clone, Debug)]
pub(super) struct CommitValue {
    pub commit: Commit,
    /// What the user called it.
    pub name: String,
    pub tag: Option<String>,
    /// Other names that a service may report: all its tags, and the version and digest of an archive.
    pub names: Vec<String>,
    /// The digest of the manifest of what replaces its tree.
    pub built: Option<String>,
    /// Whether that differs from what hosts have under the commit's number.
    pub renumbered: bool,
    /// A digest of what its release is made from, if the app is a folder of its repository.
    pub content: Option<String>,
    /// The commit that was asked for, if this one stands for it, because it has the same files.
    pub asked: Option<Commit>,
    /// Whether the fleet's ledger doesn't know that name yet.
    pub unsaid: bool,
    /// Whether the text that it was found by may mean another commit tomorrow, as `stable` and branches do.
    pub loose: bool,
}

impl CommitValue {
    /// Returns a commit that is deployed with its own tree.
    pub(super) fn of(commit: Commit, name: String, tag: Option<String>) -> Self {
        let names = tag.iter().cloned().collect();
        let (built, content, asked) = (None, None, None);
        Self { commit, name, tag, names, built, renumbered: false, content, asked, unsaid: false, loose: false }
    }

    /// Adds other names that a service may report.
    pub(super) fn called(mut self, names: impl IntoIterator<Item = String>) -> Self {
        for name in names {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
        self
    }
}

impl From<Resolved> for CommitValue {
    fn from(resolved: Resolved) -> Self {
        Self::of(resolved.commit.into(), resolved.name, resolved.tag).called(resolved.tags)
    }
}

fn current(here: &Here) -> RhaiResultOf<Targets> {
    current_targets(here)
}

/// Returns the repository of the targets' app.
fn repository(here: &Here) -> RhaiResultOf<String> {
    Ok(app(&current(here)?.fleet).map_err(thrown)?.repository.clone())
}

/// Returns the repository that branches are worked on in: that of the targets' app, or if the line names no hosts, the
/// one that the fabfile is in.
pub(super) fn worked_in(here: &Here) -> RhaiResultOf<String> {
    let named = here.targets.lock().unwrap().is_some();
    if named { repository(here) } else { Ok(here.session.run.folder.to_string_lossy().into_owned()) }
}

/// Returns the pattern of the tags of the targets' app; `None` if it has none, or if the line names no hosts.
fn pattern(here: &Here) -> Option<TagPattern> {
    here.targets.lock().unwrap().as_ref()?.fleet.app.as_ref()?.tags.clone()
}

/// Reads a pattern that a script gives.
fn given(text: &str) -> RhaiResultOf<TagPattern> {
    TagPattern::of(text).map_err(|why| {
        let failure = Failure::new(Cause::Fabfile, format!("`{}` isn't a pattern of tags: {why}", shown(text)));
        thrown(failure.help("write a tag's name with a `*` in place of the version, such as `shop-v*`"))
    })
}

/// Returns the newest stable tag, or `()`.
fn newest(here: &Here, tags: Option<&TagPattern>) -> RhaiResultOf<Dynamic> {
    let newest = here.perform(ReadNewestStable { repository: worked_in(here)?, tags: tags.cloned() })?;
    Ok(newest.map_or(Dynamic::UNIT, Dynamic::from))
}

/// Returns the version in a tag, or `()`.
fn version_of(tag: &str, tags: Option<&TagPattern>) -> Dynamic {
    version_in(tag, tags).map_or(Dynamic::UNIT, |version| version.to_owned().into())
}

fn change(here: &Here, change: Change) -> RhaiResultOf<Option<String>> {
    here.perform(ChangeRepository { repository: worked_in(here)?, change })
}

#[export_module(manifest)]
pub mod git {
    /// A commit in the app's repository.
    #[expect(dead_code, reason = "names the type for scripts, and documents it")]
    pub(crate) type Commit = CommitValue;

    /// Finds the one commit that a reference means: `stable`, a tag, a branch or a commit's id. It fetches first.
    ///
    /// `stable` is the highest tag `vX.Y.Z` or `X.Y.Z` that isn't a pre-release. If the fleet file's `[app]` has
    /// `tags`, it's the highest such tag that matches them. Branches and tags are the remote's. Once a reference is
    /// resolved, it means the same commit for the whole run.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let commit = git::resolve("stable");
    /// ```
    #[rhai_fn(name = "resolve", return_raw)]
    pub(crate) fn resolve(ctx: NativeCallContext, reference: &str) -> RhaiResultOf<CommitValue> {
        let here = here(&ctx)?.clone();
        let fleet = current(&here)?.fleet;
        if let Some(known) = here.session.observed.resolved(&fleet.name, reference) {
            return Ok(known.into());
        }
        let resolved = here.perform(Resolve::of(&fleet, reference).map_err(thrown)?)?;
        here.session.observed.resolve(&fleet.name, reference, &resolved);
        Ok(resolved.into())
    }

    /// Returns the id of a pushed commit. You pass a tag, a branch or the first digits of the id.
    ///
    /// This call ignores the fleet file's rules about what can be deployed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let fix = git::pushed("main");
    /// ```
    #[rhai_fn(name = "pushed", return_raw)]
    pub(crate) fn pushed(ctx: NativeCallContext, reference: &str) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        Ok(here.perform(Resolve::pushed(&worked_in(&here)?, reference))?.commit)
    }

    /// Returns the newest stable tag, as last fetched; `()` if there is none.
    ///
    /// If the line names hosts and their app has `tags` in the fleet file, only tags that match that pattern count.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tag = git::newest_stable_tag();
    /// ```
    #[rhai_fn(name = "newest_stable_tag", return_raw)]
    pub(crate) fn newest_stable_tag(ctx: NativeCallContext) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        newest(&here, pattern(&here).as_ref())
    }

    /// Returns the newest stable tag that matches a pattern: a tag's name with a `*` for the version.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let tag = git::newest_stable_tag("shop-v*");
    /// ```
    #[rhai_fn(name = "newest_stable_tag", return_raw)]
    pub(crate) fn newest_stable_tag_of(ctx: NativeCallContext, tags: &str) -> RhaiResultOf<Dynamic> {
        newest(&here(&ctx)?.clone(), Some(&given(tags)?))
    }

    /// Returns the version in a tag's name, such as `3.0.1` for `v3.0.1`; `()` if the tag isn't a release of the app.
    ///
    /// If the line names hosts and their app has `tags` in the fleet file, the tag must match that pattern.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let version = git::tag_version("v3.0.1");
    /// ```
    #[rhai_fn(name = "tag_version", return_raw)]
    pub(crate) fn tag_version(ctx: NativeCallContext, tag: &str) -> RhaiResultOf<Dynamic> {
        Ok(version_of(tag, pattern(&here(&ctx)?.clone()).as_ref()))
    }

    /// Returns the version in a tag's name, by a pattern with a `*` for the version; `()` if the tag doesn't match.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let version = git::tag_version("shop-v3.0.1", "shop-v*");
    /// ```
    #[rhai_fn(name = "tag_version", return_raw)]
    pub(crate) fn tag_version_of(tag: &str, tags: &str) -> RhaiResultOf<Dynamic> {
        Ok(version_of(tag, Some(&given(tags)?)))
    }

    /// Returns when the commit was made, in seconds since 1970; `()` if your repository doesn't have the commit.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let made = git::date(git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "date", return_raw)]
    pub(crate) fn date(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?.clone();
        let date = here.perform(ReadDate { repository: repository(&here)?, commit: commit.commit })?;
        Ok(date.map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// Returns the names of the remote's branches, as last fetched.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for branch in git::branches() { ui::note(branch); }
    /// ```
    #[rhai_fn(name = "branches", return_raw)]
    pub(crate) fn branches(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let names = here.perform(ReadNames { repository: repository(&here)? })?;
        Ok(names.branches.into_iter().map(|b| b.name.into()).collect())
    }

    /// Returns the commits that the new commit has and the old one doesn't, newest first.
    ///
    /// Each commit is a map with `commit`, `subject`, `author` and `at`, its time in seconds since 1970. The list has
    /// at most 200 commits. If the app has a `tree` in the fleet file, only commits that change something in that
    /// folder count.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for entry in git::log(git::resolve("v3.0.0").id, git::resolve("v3.0.1")) { ui::note(entry.subject); }
    /// ```
    #[rhai_fn(name = "log", return_raw)]
    pub(crate) fn log(ctx: NativeCallContext, old: &str, new: CommitValue) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let (repository, old, new) = (repository(&here)?, old.to_owned(), new.commit.to_string());
        let tree = app(&current(&here)?.fleet).map_err(thrown)?.rules.tree.clone();
        let between = here.perform(ReadLog { repository, old, new, most: 200, tree })?;
        let map = |logged: crate::git::LoggedCommit| {
            let mut map = rhai::Map::new();
            map.insert("commit".into(), logged.commit.into());
            map.insert("subject".into(), shown(&logged.subject).into());
            map.insert("author".into(), shown(&logged.author).into());
            map.insert("at".into(), logged.at.into());
            Dynamic::from(map)
        };
        Ok(between.added.into_iter().map(map).collect())
    }

    /// Fetches from the repository's remote, into refs that only rfab uses.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::fetch();
    /// ```
    #[rhai_fn(name = "fetch", return_raw)]
    pub(crate) fn fetch(ctx: NativeCallContext) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        here.perform(FetchRefs { repository: worked_in(&here)? })
    }

    /// Fetches a ref of the remote by its full name, such as a pull request's head.
    ///
    /// It creates no ref in your repository.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::fetch("refs/pull/12/head");
    /// ```
    #[rhai_fn(name = "fetch", return_raw)]
    pub(crate) fn fetch_name(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        here.perform(FetchName { repository: worked_in(&here)?, name: name.to_owned() })
    }

    /// Commits the named files with your git, or what is staged if you name none. Returns the commit's id.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let id = git::commit("update the assets", ["assets/app.css"]);
    /// ```
    #[rhai_fn(name = "commit", return_raw)]
    pub(crate) fn commit(ctx: NativeCallContext, message: &str, files: Array) -> RhaiResultOf<String> {
        let files = files.into_iter().map(|f| f.to_string()).collect();
        let made = change(&here(&ctx)?.clone(), Change::Commit { message: message.to_owned(), files })?;
        Ok(made.unwrap_or_default())
    }

    /// Merges a branch, a tag or a commit into the current branch with your git. Returns the id of the merge.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let id = git::merge("hotfix");
    /// ```
    #[rhai_fn(name = "merge", return_raw)]
    pub(crate) fn merge(ctx: NativeCallContext, reference: &str) -> RhaiResultOf<String> {
        let made = change(&here(&ctx)?.clone(), Change::Merge { reference: reference.to_owned() })?;
        Ok(made.unwrap_or_default())
    }

    /// Tags a commit with your git.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::tag("v3.0.2", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "tag", return_raw)]
    pub(crate) fn tag(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<()> {
        let what = Change::Tag { name: name.to_owned(), commit: commit.commit.to_string(), message: None };
        change(&here(&ctx)?.clone(), what).map(drop)
    }

    /// Pushes a tag to the repository's remote with your git.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::push_tag("v3.0.2");
    /// ```
    #[rhai_fn(name = "push_tag", return_raw)]
    pub(crate) fn push_tag(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        change(&here(&ctx)?.clone(), Change::Push { what: vec![Pushed::Tag(name.to_owned())] }).map(drop)
    }

    /// Pushes branches and tags to the repository's remote in one step: all of them or none, and never by force.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::push(["main", "develop"], ["v3.0.2"]);
    /// ```
    #[rhai_fn(name = "push", return_raw)]
    pub(crate) fn push(ctx: NativeCallContext, branches: Array, tags: Array) -> RhaiResultOf<()> {
        let branches = branches.into_iter().map(|name| Pushed::Branch(name.to_string()));
        let what = branches.chain(tags.into_iter().map(|name| Pushed::Tag(name.to_string()))).collect();
        change(&here(&ctx)?.clone(), Change::Push { what }).map(drop)
    }

    /// Pushes a branch to the repository's remote with your git, never by force.
    ///
    /// # Example
    ///
    /// ```rhai
    /// git::push_branch("main");
    /// ```
    #[rhai_fn(name = "push_branch", return_raw)]
    pub(crate) fn push_branch(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        change(&here(&ctx)?.clone(), Change::Push { what: vec![Pushed::Branch(name.to_owned())] }).map(drop)
    }

    /// The commit's full id: 40 digits, or 64 in a sha256 repository.
    #[rhai_fn(get = "id", pure)]
    pub(crate) fn id(commit: &mut CommitValue) -> String {
        commit.commit.to_string()
    }

    /// The full id of the commit that you asked for, if `release::alike` replaced it; otherwise the same as `id`.
    #[rhai_fn(get = "asked", pure)]
    pub(crate) fn asked(commit: &mut CommitValue) -> String {
        commit.asked.as_ref().unwrap_or(&commit.commit).to_string()
    }

    /// The name by which rfab found the commit, such as a tag or a branch.
    #[rhai_fn(get = "name", pure)]
    pub(crate) fn name(commit: &mut CommitValue) -> String {
        commit.name.clone()
    }

    /// The tag of the commit; `()` if it has none.
    #[rhai_fn(get = "tag", pure)]
    pub(crate) fn tag_of(commit: &mut CommitValue) -> Dynamic {
        commit.tag.as_ref().map_or(Dynamic::UNIT, |t| t.clone().into())
    }

    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(commit: &mut CommitValue) -> String {
        format!("{} ({})", commit.name, &commit.commit[..commit.commit.len().min(12)])
    }
}
