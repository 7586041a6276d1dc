//! What runs once for each commit and fleet, such as a migration.
use super::git::CommitValue;
use crate::{
    balancer::ReadHolder,
    bookkeeping::{BegunOnce, Consult, Mark, MarkState, ReadMarks},
    failure::Failure,
    fleet::Fleet,
    host::Name,
    ledger::{LedgerLine, OnceBegun, Phase},
    script::{Here, RhaiResultOf, failure_of, thrown},
};
use rhai::{Dynamic, FnPtr, NativeCallContext};
use std::sync::Arc;

/// Something that runs once for a commit in a fleet.
pub(super) struct Once<'a> {
    pub fleet: Arc<Fleet>,
    pub name: &'a str,
    pub commit: &'a CommitValue,
    /// The host that it runs on, if that's known.
    pub on: Option<Name>,
}

impl Once<'_> {
    /// Returns its state, by the ledger.
    pub(super) fn state(&self, here: &Here) -> RhaiResultOf<MarkState> {
        let (fleet, name, commit) = (self.fleet.clone(), self.name.to_owned(), self.commit.commit.clone());
        here.perform(ReadMarks { fleet, name, commit })
    }

    /// Writes its state into the ledger.
    pub(super) fn mark(&self, here: &Here, state: MarkState) -> RhaiResultOf<()> {
        let line = LedgerLine { host: self.on.clone(), ..here.session.run.line(Phase::Intent) };
        let (fleet, name, commit) = (self.fleet.clone(), self.name.to_owned(), self.commit.commit.clone());
        here.perform(Mark { fleet, name, commit, state, line })
    }

    /// Calls a closure unless it was done before, and records how it ended. Returns whether it was called.
    pub(super) fn call(&self, ctx: &NativeCallContext, here: &Here, f: &FnPtr) -> RhaiResultOf<bool> {
        match self.state(here)? {
            MarkState::Done => return Ok(false),
            MarkState::NeverBegun | MarkState::Failed => {}
            MarkState::Begun => return Err(thrown(self.unknown(self.begun(here)?.as_ref()))),
        }
        self.mark(here, MarkState::Begun)?;
        let result = f.call_within_context::<Dynamic>(ctx, ());
        match &result {
            Ok(_) => self.mark(here, MarkState::Done)?,
            // If the outcome is unknown, the mark stays begun.
            Err(e) if failure_of(e).status.is_some() => self.mark(here, MarkState::Failed)?,
            Err(_) => {}
        }
        result.map(|_| true)
    }

    /// Fails if another run that is over began it, and its end isn't known.
    pub(super) fn want_known(&self, here: &Here) -> RhaiResultOf<()> {
        let run = &here.session.run;
        let Some(begun) = self.begun(here)?.filter(|begun| begun.line.run != run.id) else { return Ok(()) };
        let holder = here.perform(ReadHolder { fleet: self.fleet.clone() })?;
        // Who has the lock may be at it. Then this run doesn't get the lock, or waits for it and asks again.
        if holder.is_some_and(|holder| *holder.run != *run.id) {
            return Ok(());
        }
        let here_too = begun.line.from == run.from && !begun.aborted;
        here.session.observed.next(&if here_too { resumed(&begun) } else { String::new() });
        Err(thrown(self.unknown(Some(&begun)).unchanged()))
    }

    fn begun(&self, here: &Here) -> RhaiResultOf<Option<OnceBegun>> {
        let (name, commit, run) = (self.name.to_owned(), self.commit.commit.clone(), here.session.run.id.clone());
        here.perform(Consult { fleet: self.fleet.clone(), question: BegunOnce { name, commit, run } })
    }

    /// Returns the failure of a step with an unknown end.
    fn unknown(&self, begun: Option<&OnceBegun>) -> Failure {
        let what = format!("`{}` of {}", self.name, &self.commit.commit[..12]);
        let Some(begun) = begun else {
            return Failure::unknown(format!("{what} began before, and rfab can't tell how it ended"))
                .help(self.by_hand());
        };
        let LedgerLine { run, who, from, at, host, .. } = &begun.line;
        let on = host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let message = format!("{what} began{on} in {who}'s run {run} at {at}, and rfab can't tell how it ended");
        let by_hand = self.by_hand();
        let help = if begun.aborted {
            by_hand
        } else {
            format!(
                "resume that run on {from}: `rfab {}` finds out whether it finished, and continues\n\
                 if that run was aborted, or its machine is lost, {by_hand}",
                resumed(begun)
            )
        };
        Failure::unknown(message).help(help)
    }

    fn by_hand(&self) -> String {
        format!(
            "check whether it finished; if it did, run a task that calls `release::mark_done(\"{}\", …)`",
            self.name
        )
    }
}

/// Returns the line that resumes the run which began it.
fn resumed(begun: &OnceBegun) -> String {
    let flag = if begun.overtaken { " --force-changed" } else { "" };
    format!("--resume {}{flag}", begun.line.run)
}
