//! Marks about releases: switches, tasks that run once, and commits that mustn't be deployed again.
use super::{
    HostValue,
    git::CommitValue,
    release_called::meant,
    release_choice::{good, own_name},
    release_listing::completed,
    release_value::ReleaseValue,
};
use crate::{
    bookkeeping::{Mark, MarkState, ReadMarks},
    failure::Failure,
    ledger::{Phase, WITHDRAWN, bad, switch},
    script::{Here, RhaiResultOf, Targets, current_targets, failure_of, here, thrown},
};
use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

/// Writes a mark about a commit.
fn mark(here: &Here, targets: &Targets, name: &str, commit: &CommitValue, state: MarkState) -> RhaiResultOf<()> {
    let line = here.session.run.line(Phase::Intent);
    let (fleet, name, commit) = (targets.fleet.clone(), name.to_owned(), commit.commit.clone());
    here.perform(Mark { fleet, name, commit, state, line })
}

/// Writes a mark about the commit of a release, for the current targets.
fn switched(here: &Here, name: &str, release: ReleaseValue, state: MarkState) -> RhaiResultOf<()> {
    let targets = current_targets(here)?;
    mark(here, &targets, name, &release.into(), state)
}

/// Returns the state of something that runs once for each commit and fleet, as a word.
fn state_of(here: &Here, name: &str, commit: CommitValue) -> RhaiResultOf<String> {
    let fleet = current_targets(here)?.fleet;
    let state = here.perform(ReadMarks { fleet, name: name.to_owned(), commit: commit.commit })?;
    Ok(match state {
        MarkState::NeverBegun => "never",
        MarkState::Begun => "begun",
        MarkState::Done => "done",
        MarkState::Failed => "failed",
    }
    .to_owned())
}

/// Calls a closure unless it was done for this commit and fleet, and records how it ended.
fn done_once(ctx: &NativeCallContext, here: &Here, name: &str, commit: &CommitValue, f: &FnPtr) -> RhaiResultOf<bool> {
    let targets = current_targets(here)?;
    let short = commit.commit[..12].to_owned();
    own_name(name)?;
    let asked = ReadMarks { fleet: targets.fleet.clone(), name: name.to_owned(), commit: commit.commit.clone() };
    match here.perform(asked)? {
        MarkState::Done => return Ok(false),
        MarkState::NeverBegun | MarkState::Failed => {}
        MarkState::Begun => {
            let failure =
                Failure::unknown(format!("`{name}` of {short} began before, and rfab can't tell how it ended"));
            return Err(thrown(failure.help(format!(
                "check whether it finished on the host; if it did, run a task that calls `release::mark_done(\"{name}\", …)`"
            ))));
        }
    }
    mark(here, &targets, name, commit, MarkState::Begun)?;
    let result = f.call_within_context::<Dynamic>(ctx, ());
    match &result {
        Ok(_) => mark(here, &targets, name, commit, MarkState::Done)?,
        Err(e) => {
            let failure = failure_of(e);
            // If the outcome is unknown, the mark stays begun.
            if failure.status.is_some() {
                mark(here, &targets, name, commit, MarkState::Failed)?;
            }
        }
    }
    result.map(|_| true)
}

#[export_module(manifest)]
pub mod marks {
    /// Returns the state of something that is done once per commit and fleet: `never`, `begun`, `done`, `failed`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let state = release::marked("migrate", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "marked", return_raw)]
    pub(crate) fn marked(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<String> {
        state_of(&here(&ctx)?.clone(), name, commit)
    }

    /// Calls the closure once per commit and fleet, no matter who runs it, and writes the outcome in the ledger.
    ///
    /// Returns false if it was done before. If it began before and rfab can't tell how it ended, that is a failure of
    /// kind `unknown`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::once("migrate", git::resolve("stable"), || host.run("bin/migrate"));
    /// ```
    #[rhai_fn(name = "once", return_raw)]
    pub(crate) fn once(ctx: NativeCallContext, name: &str, commit: CommitValue, f: rhai::FnPtr) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        done_once(&ctx, &here, name, &commit, &f)
    }

    /// Records that something that is done once was done, as a person confirmed.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::mark_done("migrate", git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "mark_done", return_raw)]
    pub(crate) fn mark_done(ctx: NativeCallContext, name: &str, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let targets = current_targets(&here)?;
        own_name(name)?;
        mark(&here, &targets, name, &commit, MarkState::Done)
    }

    /// Records that the host is being switched to a release.
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

    /// Records that the host was switched to a release and proven healthy.
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

    /// Records that a release didn't prove healthy on the host, so that no rollback goes to it.
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

    /// Records that a commit is rolled back.
    ///
    /// From now on, `release::resolve` accepts it only if it is typed in full.
    ///
    /// # Example
    ///
    /// ```rhai
    /// release::withdraw(git::resolve("stable"));
    /// ```
    #[rhai_fn(name = "withdraw", return_raw)]
    pub(crate) fn withdraw(ctx: NativeCallContext, commit: CommitValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let targets = current_targets(&here)?;
        mark(&here, &targets, WITHDRAWN, &commit, MarkState::Done)
    }

    /// Returns the commits that each host was switched to and proven healthy with, oldest first.
    ///
    /// It is a map by the host's name. It comes from the fleet's ledger. It doesn't have releases that were rolled
    /// back, nor those that didn't prove healthy when they were last tried.
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

    /// Returns those of the commits that a text names, each once.
    ///
    /// The text is any name that the commit was ever deployed by, at least 7 of its digits, or its release's folder, such
    /// as `0007-9ab0c1d2e3f4`. If it's a name, the commit gets it. The digits of another commit with the same files
    /// count, too.
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

    /// Returns whether the commit is the host's current release, and the host's last switch was to it and finished.
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

    /// Reports in the closing table that the host was left as it is, because nothing had to change.
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
