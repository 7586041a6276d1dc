//! Primitives for releases on hosts.
use super::{
    HostValue,
    git::CommitValue,
    release_choice::{alike, checked, getting_it, looked_at, numbered, resolved, shares, shares_filled},
    release_listing::{adopted, current_of, listed, read, verified},
};
use crate::{
    git::app,
    release::{Activate, Home, Prune, SetUp, Stage, shared},
    script::{RhaiResultOf, Targets, here, thrown},
};
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

pub(super) use super::release_value::ReleaseValue;

#[export_module(manifest)]
pub mod release {
    /// A commit's tree on hosts.
    #[expect(dead_code, reason = "names the type for scripts, and documents it")]
    pub(crate) type Release = ReleaseValue;

    /// Finds the commit to deploy: what the reference means, or, while a release is in progress, its commit.
    ///
    /// Only a tag or commit typed in full ends a release in progress.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let commit = release::resolve("stable");
    /// ```
    #[rhai_fn(name = "resolve", return_raw)]
    pub(crate) fn resolve(ctx: NativeCallContext, reference: &str) -> RhaiResultOf<CommitValue> {
        resolved(&*here(&ctx)?, reference)
    }

    /// Returns the commit that the fleet has released with the same files, or the commit itself.
    ///
    /// There can be one if the app is [a folder of its repository](../fleet.md#an-app-in-a-folder-of-its-repository),
    /// and neither that folder nor `linked` changed between the two. It has the name of the commit that you give. With
    /// `--force`, it's the commit itself.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let commit = release::alike(release::resolve("stable"));
    /// ```
    #[rhai_fn(name = "alike", return_raw)]
    pub(crate) fn alike_of(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<CommitValue> {
        alike(&here(&ctx)?.clone(), commit)
    }

    /// Records in the fleet's ledger that hosts serve the commit already, if it stands for another one.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::served(release::alike(release::resolve("stable")));
    /// ```
    #[rhai_fn(name = "served", return_raw)]
    pub(crate) fn served(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        if commit.unsaid { numbered(&here, commit).map(drop) } else { Ok(()) }
    }

    /// Builds a commit on this machine.
    ///
    /// The release then contains what the closure leaves in the folder that it gets, or in the named part of it,
    /// such as `dist`. The folder has the commit's tree, and is removed afterward. rfab keeps a build on this
    /// machine, so the closure runs once per commit; `--force` builds again. If a host has the release made from
    /// something else, it fails and changes nothing.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let built = release::build(git::resolve("stable"), "dist", |folder| ui::note(`build it in ${folder}`));
    /// release::stage(host, release::number(built));
    /// ```
    #[rhai_fn(name = "build", return_raw)]
    pub(crate) fn build(
        ctx: NativeCallContext,
        commit: CommitValue,
        part: &str,
        f: rhai::FnPtr,
    ) -> RhaiResultOf<CommitValue> {
        let here = here(&ctx)?.clone();
        if commit.built.is_some() { Ok(commit) } else { crate::api::building::build(&ctx, &here, commit, part, &f) }
    }

    /// Uses an archive of this machine (`.tar` or `.tar.gz`, relative to the fabfile's folder) as a release.
    ///
    /// Its sha256 must be the given one. rfab refuses links, devices and paths that point outside it.
    /// `release::archive(file, sha256, how)` adds options: its `commit` (without one, its digest is its name), the
    /// `version` that the service reports, and the `part` of it to release.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    /// let archive = release::archive("dist/shop-3.0.1.tar.gz", sha256, #{ commit: release::resolve("v3.0.1") });
    /// release::stage(host, release::number(archive));
    /// ```
    #[rhai_fn(name = "archive", return_raw)]
    pub(crate) fn archive(ctx: NativeCallContext, file: &str, sha256: &str, how: Map) -> RhaiResultOf<CommitValue> {
        let here = here(&ctx)?.clone();
        crate::api::building::archive(&here, file, sha256, how)
    }

    /// Uses an archive without a commit as a release.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    /// let archive = release::archive("dist/shop-3.0.1.tar.gz", sha256);
    /// ```
    #[rhai_fn(name = "archive", return_raw)]
    pub(crate) fn archive_of_none(ctx: NativeCallContext, file: &str, sha256: &str) -> RhaiResultOf<CommitValue> {
        let here = here(&ctx)?.clone();
        crate::api::building::archive(&here, file, sha256, Map::new())
    }

    /// Gives a commit its number in the fleet, and records that it is deployed. A known commit keeps its number.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let release = release::number(git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "number", return_raw)]
    pub(crate) fn number(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<ReleaseValue> {
        numbered(&here(&ctx)?.clone(), commit)
    }

    /// Returns the host's releases.
    ///
    /// It is a map with `current` and `previous` (a string, or `()`), `all` (strings), `set_up`, and `foreign`: where
    /// `current` points if another tool made it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let current = release::list(host).current;
    /// ```
    #[rhai_fn(name = "list", return_raw)]
    pub(crate) fn list(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Map> {
        listed(&here(&ctx)?.clone(), host)
    }

    /// Returns the host's current release; `()` if it has none.
    ///
    /// `names` has what commits are called, as `ledger::of_fleet` does.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let current = release::current(host, ledger::of_fleet(targets()).names);
    /// ```
    #[rhai_fn(name = "current", return_raw)]
    pub(crate) fn current(ctx: NativeCallContext, host: HostValue, names: Map) -> RhaiResultOf<Dynamic> {
        current_of(&here(&ctx)?.clone(), host, names)
    }

    /// Returns whether the commit is the host's current release.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if release::is_current(host, git::resolve("stable")) { ui::note("nothing to do"); }
    /// ```
    #[rhai_fn(name = "is_current", return_raw)]
    pub(crate) fn is_current(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        Ok(read(&here(&ctx)?.clone(), &host)?.current.is_some_and(|r| r.is_of(&commit.commit)))
    }

    /// Copies the release's tree to the host and checks it. It changes nothing that the host serves.
    ///
    /// If the host has an earlier release, [only what changed](../release-format.md#upon-an-earlier-release) is sent.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::stage(host, release::number(git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "stage", return_raw)]
    pub(crate) fn stage(ctx: NativeCallContext, host: HostValue, release: ReleaseValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let stage = Stage::of(&fleet, &host.0.host, &release.tree).map_err(thrown)?;
        here.perform(Stage { built: release.built, ..stage }).map(drop)
    }

    /// Makes a staged release the host's current one, by one rename. rfab refuses this while the host is live.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let release = release::number(git::resolve("stable"));
    /// release::stage(host, release);
    /// release::activate(host, release);
    /// ```
    #[rhai_fn(name = "activate", return_raw)]
    pub(crate) fn activate(ctx: NativeCallContext, host: HostValue, release: ReleaseValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let home = Home::of(&fleet, &host.0.host).map_err(thrown)?;
        let assets = app(&fleet).map_err(thrown)?.assets.clone();
        here.perform(Activate { host: host.0.host, release: release.tree, home, assets, names: release.names })
    }

    /// Removes old releases from the host, and keeps as many as `keep` of the fleet file sets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::prune(host);
    /// ```
    #[rhai_fn(name = "prune", return_raw)]
    pub(crate) fn prune(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<i64> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let (home, keep) = (Home::of(&fleet, &host.0.host).map_err(thrown)?, app(&fleet).map_err(thrown)?.keep);
        Ok(here.perform(Prune { host: host.0.host, home, keep })?.into())
    }

    /// Makes the app's folders on a new host, and changes nothing that is already there.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::set_up(host);
    /// ```
    #[rhai_fn(name = "set_up", return_raw)]
    pub(crate) fn set_up(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let home = Home::of(&here.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?;
        here.perform(SetUp { host: host.0.host, home })
    }

    /// Takes over an app's folder that Capistrano, Fabric or another tool deployed to, and returns what is there.
    ///
    /// It makes the folders that are missing and changes nothing else: `current` points where it did until the first
    /// `activate`, and old releases stay until somebody removes them. rfab refuses a `current` that is a folder. It
    /// returns a map with `tool`, `current`, `commit` (each a string, or `()`) and `others`, the number of the tool's
    /// releases.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let found = release::adopt(host);
    /// ui::note(host, `${found.others} releases of another tool`);
    /// ```
    #[rhai_fn(name = "adopt", return_raw)]
    pub(crate) fn adopt(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Map> {
        adopted(&here(&ctx)?.clone(), host)
    }

    /// Returns the folder of a release, relative to the app's path.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let folder = release::folder(release::number(git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "folder")]
    pub(crate) fn folder(release: ReleaseValue) -> String {
        format!("releases/{}", release.tree)
    }

    /// Returns the host, with its next calls in this folder below the app's path, as the app's user.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::inside(host, "current").run("bin/clear-cache");
    /// ```
    #[rhai_fn(name = "inside", return_raw)]
    pub(crate) fn inside(ctx: NativeCallContext, host: HostValue, folder: &str) -> RhaiResultOf<HostValue> {
        let here = here(&ctx)?.clone();
        let home = Home::of(&here.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?;
        let mut on = host.0;
        on.cd = Some(if folder.starts_with('/') { folder.to_owned() } else { format!("{}/{folder}", home.path) });
        on.user = on.user.or(home.user);
        Ok(HostValue(on))
    }

    /// Returns the hosts that get the app, by `roles` of the fleet file's `[app]`; it fails if none does.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::hosts(targets()).parallel(|host| release::set_up(host));
    /// ```
    #[rhai_fn(name = "hosts", return_raw)]
    pub(crate) fn hosts(targets: Targets) -> RhaiResultOf<Targets> {
        getting_it(&targets)
    }

    /// Returns whether the host gets the app, by `roles` of the fleet file's `[app]`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !release::wanted(host) { ui::note(host, "nothing is released here"); }
    /// ```
    #[rhai_fn(name = "wanted", return_raw)]
    pub(crate) fn wanted(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let fleet = here(&ctx)?.fleet_of(&host.0.host);
        Ok(app(&fleet).map_err(thrown)?.is_on(&host.0.host))
    }

    /// Checks whether the host can be deployed to: rfab reaches it, and tools, folders and rights are there.
    ///
    /// All its problems are one failure.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::preflight(host);
    /// ```
    #[rhai_fn(name = "preflight", return_raw)]
    pub(crate) fn preflight(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        looked_at(&here(&ctx)?.clone(), host, None)
    }

    /// Does the same before a commit is deployed: linked files that are missing in `shared/` are problems, too.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::preflight(host, git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "preflight", return_raw)]
    pub(crate) fn preflight_for(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<()> {
        looked_at(&here(&ctx)?.clone(), host, Some(commit.commit))
    }

    /// Checks what is to be sent to hosts, before anything is locked.
    ///
    /// It fails if the commit's tree can't be released, and warns of files that git-crypt or SOPS left encrypted. It does
    /// so once in a run, and only if one of the hosts lacks the release.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::check(targets(), release::resolve("stable"));
    /// ```
    #[rhai_fn(name = "check", return_raw)]
    pub(crate) fn check(ctx: NativeCallContext, hosts: Targets, commit: CommitValue) -> RhaiResultOf<()> {
        checked(&here(&ctx)?.clone(), &hosts, &commit)
    }

    /// Makes a linked file in `shared/` on the host, with this text.
    ///
    /// If there is one, it isn't changed, and the call returns false. It has `0644`, or `0600` if it contains a
    /// secret; for others, use `host.mode("0640")`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::set_up(host);
    /// release::share(host, "config/queue.yml", `queue: ${host.vars.queue}`);
    /// ```
    #[rhai_fn(name = "share", return_raw)]
    pub(crate) fn share(ctx: NativeCallContext, host: HostValue, path: &str, text: &str) -> RhaiResultOf<bool> {
        shares(&here(&ctx)?.clone(), host, path, text, false)
    }

    /// Does the same from a template of the fabfile's folder.
    ///
    /// As with `host.template`, the template sees `host` and the map's values, even secrets.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::set_up(host);
    /// release::share(host, "config/shop.conf", "shop.conf.j2", #{ workers: 4 });
    /// ```
    #[rhai_fn(name = "share", return_raw)]
    pub(crate) fn share_filled(
        ctx: NativeCallContext,
        host: HostValue,
        path: &str,
        from: &str,
        values: Map,
    ) -> RhaiResultOf<bool> {
        shares_filled(&here(&ctx)?.clone(), host, path, from, values)
    }

    /// Returns where a linked file or folder is on the host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let there = host.exists(release::shared_path(host, "config/database.yml"));
    /// ```
    #[rhai_fn(name = "shared_path", return_raw)]
    pub(crate) fn shared_path(ctx: NativeCallContext, host: HostValue, path: &str) -> RhaiResultOf<String> {
        let home = Home::of(&here(&ctx)?.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?;
        shared(&home, path).map_err(thrown)
    }

    /// Returns the names in a staged release of the host that are missing, or changed since it was staged.
    ///
    /// It returns `()` if the release isn't staged there.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let differ = release::verify(host, git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "verify", return_raw)]
    pub(crate) fn verify(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<Dynamic> {
        verified(&here(&ctx)?.clone(), host, commit)
    }

    /// Returns whether `--force` asks to repeat what is done.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if release::forced() { ui::note("again"); }
    /// ```
    #[rhai_fn(name = "forced", return_raw)]
    pub(crate) fn forced(ctx: NativeCallContext) -> RhaiResultOf<bool> {
        Ok(here(&ctx)?.session.run.allowed.force)
    }

    /// The commit of the release.
    #[rhai_fn(get = "commit", pure)]
    pub(crate) fn commit(release: &mut ReleaseValue) -> CommitValue {
        release.clone().into()
    }

    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub(crate) fn to_string(release: &mut ReleaseValue) -> String {
        release.tree.to_string()
    }
}
