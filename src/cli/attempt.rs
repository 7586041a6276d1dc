//! Begins or resumes a run's journal.
use super::{
    request::Request,
    work::{Aborted, RunWork},
};
use crate::{
    fabfile::Project,
    failure::{Cause, Failure},
    report,
    session::{Journaling, OnUnknownOutcome, Run},
    store::{Attempt, Begun, EarlierAttempts, Head, Record, Resumed, Runs},
};
use sha2::{Digest, Sha256};
use std::{env, slice};

/// A run that is resumed.
pub(super) struct Resuming {
    pub resumed: Resumed,
    pub doubt: OnUnknownOutcome,
    /// Whether the fabfile and the fleets may have changed since it began.
    pub force_changed: bool,
}

/// Begins a run's journal, and warns if the index of runs lacks it.
pub(super) fn begin(runs: &Runs, head: &Head) -> Result<Journaling, Failure> {
    let Begun { journal, unknown } = runs.begin(head)?;
    if let Some(why) = unknown {
        report::complain(&format!("warning: {why}"));
    }
    Ok(Journaling::new(journal, EarlierAttempts::default(), runs.key()?))
}

/// Makes a run the next attempt of the one that it resumes; also returns what was changed since, if that may be.
///
/// `Fabfile` if something has changed that must stay the same.
pub(super) fn resume(
    runs: &Runs,
    resuming: Resuming,
    facts: &mut Run,
    head: impl FnOnce(&Run) -> Head,
) -> Result<(Journaling, Option<String>), Failure> {
    let Resuming { resumed: Resumed { head: before, journal, records }, doubt, force_changed } = resuming;
    facts.id = before.run.clone();
    let past = EarlierAttempts::of(records);
    facts.attempt = past.attempts;
    facts.passed = past.passed();
    facts.allowed.force_changed = force_changed;
    let differs = before.differences(&head(facts));
    let changed = (!differs.is_empty()).then(|| differs.join("; "));
    if let Some(differs) = changed.as_ref().filter(|_| !force_changed) {
        let (run, line) = (&before.run, [&before.flags[..], slice::from_ref(&before.line)].concat().join(" "));
        let message = format!("run `{run}` can't be resumed: {differs}");
        return Err(Failure::new(Cause::Fabfile, message).help(format!(
            "type the line again, `rfab {line}`: it skips what is already done; or continue anyway: `rfab --resume \
             {run} --force-changed`"
        )));
    }
    let attempt = Record::Resumed(Attempt {
        who: facts.who.clone(),
        on_behalf_of: facts.on_behalf_of.clone(),
        from: facts.from.clone(),
        since: facts.since.clone(),
    });
    journal.write(&attempt, true).map_err(|e| Failure::failed(format!("the journal can't be written: {e}")))?;
    let keep = Journaling { doubt, force_changed, ..Journaling::new(journal, past, runs.key()?) };
    Ok((keep, changed.map(|differs| format!("continued even though something was changed: {differs}"))))
}

/// Returns the arguments that a resumed run is read from.
///
/// Those of an abort are written from what was understood: it may have been typed without the run, with the beginning
/// of its id, or with another abort that it completes.
fn argv(request: &Request, work: RunWork<'_>) -> Vec<String> {
    match work {
        RunWork::Line(_) => env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect(),
        RunWork::Abort(Aborted { run, .. }) => [request.argv(), vec![format!("--abort={run}")]].concat(),
    }
}

/// Returns what is known of a run before its first connection.
pub(super) fn head(run: &Run, request: &Request, project: &Project, work: RunWork<'_>) -> Head {
    let text = project.script.resolver.text("").unwrap_or_default();
    Head {
        v: 1,
        run: run.id.clone(),
        line: run.line.clone(),
        tasks: work.tasks(),
        flags: run.flags.clone(),
        argv: argv(request, work),
        who: run.who.clone(),
        on_behalf_of: run.on_behalf_of.clone(),
        from: run.from.clone(),
        since: run.since.clone(),
        fabfile: project.file.canonicalize().unwrap_or_else(|_| project.file.clone()).display().to_string(),
        digest: hex::encode(Sha256::digest(text)),
        modules: project.script.resolver.digests(),
        rfab: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
