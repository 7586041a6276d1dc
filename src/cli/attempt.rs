//! A run's journal, begun or gone on with.
use super::work::{Aborted, Work};
use crate::{
    fabfile::Project,
    failure::{Cause, Failure},
    report,
    session::{Journaling, Run, UnknownOutcome},
    store::{Attempt, Begun, Head, Past, Record, Resumed, Runs},
};
use sha2::{Digest, Sha256};
use std::{env, slice};

/// A run that is gone on with.
pub struct Going {
    pub resumed: Resumed,
    pub doubt: UnknownOutcome,
    /// Whether the fabfile and the fleets may be others than it began with.
    pub force_changed: bool,
}

/// Begins a run's journal.
pub fn begin(runs: &Runs, head: &Head) -> Result<Journaling, Failure> {
    let Begun { journal, unknown } = runs.begin(head)?;
    if let Some(why) = unknown {
        report::complain(&format!("warning: {why}"));
    }
    Ok(Journaling::new(journal, Past::default(), runs.key()?))
}

/// Makes a run the one that it goes on with; also what was changed since, if that may be.
///
/// `Fabfile` when something was changed that may not be.
pub fn go_on(
    runs: &Runs,
    going: Going,
    facts: &mut Run,
    head: impl FnOnce(&Run) -> Head,
) -> Result<(Journaling, Option<String>), Failure> {
    let Going { resumed: Resumed { head: before, journal, records }, doubt, force_changed } = going;
    facts.id = before.run.clone();
    let past = Past::of(records);
    facts.attempt = past.attempts;
    facts.allowed.force_changed = force_changed;
    let differs = before.differences(&head(facts));
    let changed = (!differs.is_empty()).then(|| differs.join("; "));
    if let Some(differs) = changed.as_ref().filter(|_| !force_changed) {
        let (run, line) = (&before.run, [&before.flags[..], slice::from_ref(&before.line)].concat().join(" "));
        let message = format!("run `{run}` can't be resumed: {differs}");
        return Err(Failure::new(Cause::Fabfile, message).help(format!(
            "type the line again, `rfab {line}`: it leaves what is already done; \
             or continue anyway: `rfab --resume {run} --force-changed`"
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

/// The process's arguments, with the whole name of the run that is taken back.
fn typed(work: Work<'_>) -> Vec<String> {
    let typed = env::args().skip(1);
    match work {
        Work::Line(_) => typed.collect(),
        Work::Abort(Aborted { run, .. }) => {
            let others = typed.filter(|word| !word.starts_with("--abort") && !run.starts_with(word.as_str()));
            others.chain([format!("--abort={run}")]).collect()
        }
    }
}

/// What is known of a run before its first connection.
pub fn head(run: &Run, project: &Project, work: Work<'_>) -> Head {
    let text = project.script.resolver.text("").unwrap_or_default();
    Head {
        v: 1,
        run: run.id.clone(),
        line: run.line.clone(),
        tasks: work.tasks(),
        flags: run.flags.clone(),
        typed: typed(work),
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
