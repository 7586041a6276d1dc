//! Marks about releases: switches, steps that run once, and commits that a rollback left behind.
use super::{
    HostValue,
    git::CommitValue,
    once::Once,
    release_called::meant,
    release_choice::{good, own_name},
    release_listing::completed,
    release_value::ReleaseValue,
};
use crate::{
    bookkeeping::MarkState,
    ledger::{WITHDRAWN, bad, switch},
    script::{Here, RhaiResultOf, Targets, current_targets, here},
};
use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

/// Writes a mark about the commit of a release, for the current targets.
fn switched(here: &Here, name: &str, release: ReleaseValue, state: MarkState) -> RhaiResultOf<()> {
    let targets = current_targets(here)?;
    Once { fleet: targets.fleet, name, commit: &release.into(), on: None }.mark(here, state)
}

/// Returns what a script names, for the current targets.
fn of_script<'a>(here: &Here, name: &'a str, commit: &'a CommitValue) -> RhaiResultOf<Once<'a>> {
    own_name(name)?;
    Ok(Once { fleet: current_targets(here)?.fleet, name, commit, on: None })
}

#[export_module(manifest)]
pub mod marks {
    /// Returns the state of a step that runs once per commit and fleet: `never`, `begun`, `done` or `failed`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let state = release::marked("migrate", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "marked", return_raw)]
    pub(crate) fn marked(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let state = Once { fleet: current_targets(&here)?.fleet, name, commit: &commit, on: None }.state(&here)?;
        Ok(match state {
            MarkState::NeverBegun => "never",
            MarkState::Begun => "begun",
            MarkState::Done => "done",
            MarkState::Failed => "failed",
        }
        .to_owned())
    }

    /// Calls the closure only once per commit and fleet, no matter who starts the run.
    ///
    /// The ledger records the outcome. The call returns `false` if an earlier call has already succeeded. If an earlier
    /// call began and rfab can't tell how it ended, this call fails with the kind `unknown`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::once("migrate", git::resolve("stable"), || host.run("bin/migrate"));
    /// ```
    #[rhai_fn(name = "once", return_raw)]
    pub(crate) fn once(ctx: NativeCallContext, name: &str, commit: CommitValue, f: FnPtr) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        of_script(&here, name, &commit)?.call(&ctx, &here, &f)
    }

    /// Calls the closure only once per commit and fleet. If `on` is a single host, the ledger records that host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let one = targets().first();
    /// release::once("migrate", git::resolve("stable"), one, || one.each(|host| host.run("bin/migrate")));
    /// ```
    #[rhai_fn(name = "once", return_raw)]
    pub(crate) fn once_on(
        ctx: NativeCallContext,
        name: &str,
        commit: CommitValue,
        on: Targets,
        f: FnPtr,
    ) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        let on = if let [host] = &on.hosts[..] { Some(host.name.clone()) } else { None };
        Once { on, ..of_script(&here, name, &commit)? }.call(&ctx, &here, &f)
    }

    /// Fails if a step that runs once per commit and fleet began in another run, and rfab can't tell how it ended.
    ///
    /// The failure has the kind `unknown` and names the run to resume. If another run holds the fleet's lock, the step
    /// may still be running, so the call doesn't fail.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::want_known("migrate", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "want_known", return_raw)]
    pub(crate) fn want_known(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        of_script(&here, name, &commit)?.want_known(&here)
    }

    /// Records that a step that runs once is done, after a person confirmed that.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::mark_done("migrate", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "mark_done", return_raw)]
    pub(crate) fn mark_done(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        of_script(&here, name, &commit)?.mark(&here, MarkState::Done)
    }

    /// Records that the switch of the host to a release begins.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::begin(host, release::number(git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "begin", return_raw)]
    pub(crate) fn begin(ctx: NativeCallContext, host: HostValue, release: ReleaseValue) -> RhaiResultOf<()> {
        switched(&here(&ctx)?.clone(), &switch(&host.0.host.name), release, MarkState::Begun)
    }

    /// Records that the host has switched to a release and is proven healthy.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::finish(host, release::number(git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "finish", return_raw)]
    pub(crate) fn finish(ctx: NativeCallContext, host: HostValue, release: ReleaseValue) -> RhaiResultOf<()> {
        switched(&here(&ctx)?.clone(), &switch(&host.0.host.name), release, MarkState::Done)
    }

    /// Records that a release wasn't healthy on the host, so that no rollback returns to it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::distrust(host, release::number(git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "distrust", return_raw)]
    pub(crate) fn distrust(ctx: NativeCallContext, host: HostValue, release: ReleaseValue) -> RhaiResultOf<()> {
        switched(&here(&ctx)?.clone(), &bad(&host.0.host.name), release, MarkState::Done)
    }

    /// Records that the fleet rolls back from a commit.
    ///
    /// From then on, `release::resolve` accepts the commit only by its tag or its full id.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::withdraw(git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "withdraw", return_raw)]
    pub(crate) fn withdraw(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let fleet = current_targets(&here)?.fleet;
        Once { fleet, name: WITHDRAWN, commit: &commit, on: None }.mark(&here, MarkState::Done)
    }

    /// Returns, for each host, the commits that it has switched to and was proven healthy with, oldest first.
    ///
    /// The result is a map by host name, according to the fleet's ledger. It leaves out commits that were rolled back,
    /// and those that weren't healthy when they were last deployed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let good = release::history(targets())[host.name];
    /// ```
    #[rhai_fn(name = "history", return_raw)]
    pub(crate) fn history(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Map> {
        good(&*here(&ctx)?, &targets)
    }

    /// Returns the commits of a list that a text can mean, each of them once.
    ///
    /// The text is any name that the commit was deployed by, its first 7 or more digits, or the name of its release's
    /// folder, such as `0007-9ab0c1d2e3f4`. If it's a name, the commit in the result gets that name. The digits of
    /// another commit with the same files count, too.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let good = release::history(targets())[host.name];
    /// let found = release::called(good, "v3.0.0");
    /// ```
    #[rhai_fn(name = "called", return_raw)]
    pub(crate) fn called(ctx: NativeCallContext, commits: Array, text: &str) -> RhaiResultOf<Array> {
        let commits = commits.into_iter().filter_map(Dynamic::try_cast::<CommitValue>).collect();
        let meant = meant(commits, text, &here(&ctx)?.session.observed.names);
        Ok(meant.into_iter().map(Dynamic::from).collect())
    }

    /// Returns whether the commit is the host's current release, and the host's last switch was to it and is complete.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if release::complete(host, git::resolve("stable")) { ui::note("nothing to do"); }
    /// ```
    #[rhai_fn(name = "complete", return_raw)]
    pub(crate) fn complete(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        completed(&here(&ctx)?.clone(), host, commit)
    }

    /// Reports in the closing table that the run left the host as it is, because nothing had to change.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::unchanged(host);
    /// ```
    #[rhai_fn(name = "unchanged", return_raw)]
    pub(crate) fn unchanged(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        here(&ctx)?.session.observed.unchanged(&host.0.host);
        Ok(())
    }
}
