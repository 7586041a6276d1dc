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
    /// A commit under its number in the fleet, which hosts keep as a release.
    #[expect(dead_code, reason = "names the type for scripts, and documents it")]
    pub(crate) type Release = ReleaseValue;

    /// Finds the commit to deploy: that of the reference or, if a release is in progress, that of this release.
    ///
    /// To deploy something else while a release is in progress, pass a tag or a commit's full id.
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

    /// Returns a commit with the same files that the fleet has already released, or else the commit itself.
    ///
    /// Such a commit exists only if the app is [a folder of its
    /// repository](../fleet.md#an-app-in-a-folder-of-its-repository), and neither that folder nor `linked` changed
    /// between the two commits. The result keeps the name of the commit that you pass. With `--force`, the result is
    /// always the commit itself.
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

    /// If `release::alike` replaced the commit, records in the fleet's ledger that hosts already serve its files.
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
    /// The closure gets a folder with the commit's tree. What it leaves in that folder, or in a `part` of it such as
    /// `dist`, becomes the release. rfab then removes the folder, and keeps the build on this machine. So the closure
    /// runs once per commit; `--force` builds again. If a host has a release of this commit with other content, the
    /// call fails and changes nothing.
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

    /// Uses an archive on this machine (`.tar` or `.tar.gz`, relative to the fabfile's folder) as a release.
    ///
    /// The archive must have this sha256. rfab refuses an archive that contains links, devices, or paths that point
    /// outside the archive. `how` is a map of options. `commit` is the archive's commit; without one, the digest takes
    /// its place. `version` is the version that the service reports, and `part` is the folder of the archive to
    /// release.
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

    /// Gives a commit its number in the fleet, and records that the commit is being deployed.
    ///
    /// A commit that already has a number keeps it.
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
    /// The result is a map. `current` and `previous` are strings, or `()`. `all` is a list of strings. `set_up` is
    /// whether the app's folders exist. If another tool made the `current` link, `foreign` is where it points.
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
    /// `names` maps commits to their names, as in `ledger::of_fleet`.
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

    /// Copies the release's files to the host and checks them. It doesn't change what the host serves.
    ///
    /// If the host has an earlier release, rfab sends [only what has
    /// changed](../release-format.md#upon-an-earlier-release).
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
        let verify = here.session.run.allowed.verify;
        here.perform(Stage { built: release.built, verify, ..stage }).map(drop)
    }

    /// Makes a staged release the host's current release, with a single rename. rfab refuses while the host is live.
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

    /// Removes old releases from the host. It keeps as many as `keep` in the fleet file says.
    ///
    /// Returns how many it removed.
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

    /// Creates the app's folders on a new host. It doesn't change what is already there.
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

    /// Takes over an app's folder that Capistrano, Fabric or another tool deployed to, and returns what it contains.
    ///
    /// It creates the missing folders and changes nothing else. `current` points to the same place until the first
    /// `activate`, and old releases stay until somebody removes them. rfab refuses if `current` is a folder instead of
    /// a link.
    ///
    /// The result is a map. `tool`, `current` and `commit` are strings, or `()`. `others` is the number of the tool's
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

    /// Returns the folder of a release, relative to the app's folder on the host.
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

    /// Returns a `host` that runs the next calls as the app's user, in this folder of the app's folder.
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

    /// Returns the hosts that get the app, according to `roles` in the fleet file's `[app]`. Fails if there are none.
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

    /// Returns whether the host gets the app, according to `roles` in the fleet file's `[app]`.
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

    /// Checks that rfab can deploy to the host: that it's reachable, and has the tools, folders and permissions.
    ///
    /// It reports all problems of the host as one failure.
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

    /// Checks that rfab can deploy a commit to the host. A linked file that is missing in `shared/` is a problem, too.
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

    /// Checks the tree that rfab is about to send to hosts, before it takes a lock.
    ///
    /// It fails if rfab can't release the commit's tree, and warns about files that git-crypt or SOPS left encrypted.
    /// rfab checks once per run, and only if one of the hosts lacks the release.
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

    /// Creates a linked file with this text in `shared/` on the host.
    ///
    /// If the file exists, rfab doesn't change it, and the call returns `false`. A new file gets `0644`, or `0600` if
    /// it contains a secret. To set other permissions, pass `host.mode("0640")`.
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

    /// Creates a linked file in `shared/` on the host from a template in the fabfile's folder.
    ///
    /// As with `host.template`, the template can use `host` and the map's values, including secrets. If the file
    /// exists, rfab doesn't change it, and the call returns `false`.
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

    /// Returns the path of a linked file or folder in `shared/` on the host.
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

    /// Returns which files of a staged release are missing on the host, or have changed since rfab staged it.
    ///
    /// It returns `()` if the release isn't staged on the host.
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

    /// Returns whether the line has `--force`, which repeats what is already done.
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
