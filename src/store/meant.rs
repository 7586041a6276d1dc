//! Finds the runs that a person may mean who names none.
use super::{Changed, Ending, Filter, RunEntry, Runs};
use crate::{failure::Failure, host::Name};
use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

/// The runs of one fabfile that somebody may want to resume or abort; each list has the newest first.
#[derive(Debug, Default, PartialEq)]
pub struct ResumableRuns {
    /// Runs that changed something and aren't done.
    pub open: Vec<RunEntry>,
    /// Runs in progress.
    pub running: Vec<RunEntry>,
    /// Runs that would be open, but a later run that is done changed the same.
    pub overtaken: Vec<RunEntry>,
    /// Runs that aren't done and changed nothing.
    pub idle: Vec<RunEntry>,
}

impl Runs {
    /// Finds the runs of a fabfile that changed something and aren't done, however the path to the file is spelled.
    ///
    /// A run that another open run is aborting doesn't count as open.
    pub fn meant(&self, fabfile: &Path) -> Result<ResumableRuns, Failure> {
        let mut meant = ResumableRuns::default();
        for run in self.of(fabfile, false, None)? {
            match run.outcome {
                Ending::Running => meant.running.push(run),
                _ if self.changed(&run).is_nothing() => meant.idle.push(run),
                _ => meant.open.push(run),
            }
        }
        let undoing = meant.open.iter().chain(&meant.running).filter_map(RunEntry::undoes);
        let undone: Vec<String> = undoing.map(str::to_owned).collect();
        meant.open.retain(|run| !undone.iter().any(|other| **other == *run.run));
        if let Some(since) = meant.open.iter().map(RunEntry::began).min() {
            let last = self.last_changes(fabfile, since)?;
            meant.overtaken = meant.open.extract_if(.., |run| last.overtook(run, &self.changed(run))).collect();
        }
        Ok(meant)
    }

    /// Returns the runs of a fabfile that are done, or that aren't, the newest first.
    fn of(&self, fabfile: &Path, done: bool, since: Option<i64>) -> Result<Vec<RunEntry>, Failure> {
        let endings = Ending::ALL.into_iter().filter(|ending| ending.is_done() == done).collect();
        let all = self.list(&Filter { endings, since, ..Filter::default() }, usize::MAX)?.runs;
        Ok(all.into_iter().filter(|run| same_file(fabfile, Path::new(&run.fabfile))).collect())
    }

    fn last_changes(&self, fabfile: &Path, since: i64) -> Result<LastChanges, Failure> {
        let mut last = LastChanges::default();
        for run in self.of(fabfile, true, Some(since))? {
            let changed = self.changed(&run);
            if !changed.is_nothing() {
                last.any = last.any.max(Some(moment(&run)));
            }
            for fleet in changed.fleets {
                let at = last.fleets.entry(fleet).or_default();
                *at = moment(&run).max(std::mem::take(at));
            }
        }
        Ok(last)
    }

    /// Returns what a run changed; reads the journal if an earlier rfab indexed the run.
    fn changed(&self, run: &RunEntry) -> Changed {
        let told = run.changed.clone();
        told.or_else(|| self.glance(&run.run)?.changed).unwrap_or_default()
    }
}

/// When a run began: in milliseconds, of which only whole seconds are recorded, and by its id, which begins with all.
type Moment = (i64, String);

fn moment(run: &RunEntry) -> Moment {
    (run.began(), run.run.to_string())
}

/// When the last runs that are done and changed something began.
#[derive(Default)]
struct LastChanges {
    any: Option<Moment>,
    fleets: BTreeMap<Name, Moment>,
}

impl LastChanges {
    /// Returns whether each fleet that a run changed was changed after it; if it changed none, whether anything was.
    fn overtook(&self, run: &RunEntry, changed: &Changed) -> bool {
        let after = |at: Option<&Moment>| at.is_some_and(|at| *at > moment(run));
        if changed.fleets.is_empty() {
            after(self.any.as_ref())
        } else {
            changed.fleets.iter().all(|fleet| after(self.fleets.get(fleet)))
        }
    }
}

/// Returns whether two paths lead to the same file.
fn same_file(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| fs::metadata(path).ok().map(|known| (known.dev(), known.ino()));
    one == other || file(one).is_some_and(|known| file(other) == Some(known))
}
