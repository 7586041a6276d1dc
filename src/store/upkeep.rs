//! Keeps an index consistent with a folder of journals, and lists runs from both.
use super::{
    entry::{Ending, RunEntry, RunSummary},
    folder::{FolderTime, RunsFolder},
    index::{Broken, Filter, Index},
};
use crate::host::Name;
use std::collections::HashSet;

/// Runs, the newest first.
#[derive(Debug, PartialEq)]
pub struct RunPage {
    pub runs: Vec<RunEntry>,
    /// Whether there are older matching runs.
    pub more: bool,
}

/// How many journals are read in one go, so that others don't wait long.
const BATCH: usize = 500;

/// Takes in journals that came, went or changed since the index was last asked.
pub(super) fn catch_up(folder: &RunsFolder, index: &mut dyn Index) -> Result<(), Broken> {
    let (changed, mark) = (folder.changed(), index.mark()?);
    if changed.as_ref().map(|changed| &changed.text) != mark.as_ref() {
        let there = folder.runs().map_err(|e| Broken::Other(e.to_string()))?;
        let known: HashSet<Name> = index.known(false)?.into_iter().map(|(run, _)| run).collect();
        look_again(folder, index, known.symmetric_difference(&there).cloned())?;
        if let Some(changed) = changed.filter(FolderTime::is_settled) {
            index.set_mark(mark.as_deref(), &changed.text)?;
        }
    }
    let unfinished = index.known(true)?.into_iter();
    look_again(folder, index, unfinished.filter(|(run, size)| !folder.is_as_long(run, *size)).map(|(run, _)| run))
}

/// Updates the mark if the folder changed only by a run that the index contains.
pub(super) fn note(index: &mut dyn Index, before: Option<FolderTime>, now: Option<FolderTime>) -> Result<(), Broken> {
    match (before, now) {
        (Some(before), Some(now)) if index.mark()?.as_ref() == Some(&before.text) => {
            index.set_mark(Some(&before.text), &now.text)
        }
        _ => Ok(()),
    }
}

/// Reads the journals of these runs again, and forgets runs without a journal.
pub(super) fn look_again(
    folder: &RunsFolder,
    index: &mut dyn Index,
    runs: impl IntoIterator<Item = Name>,
) -> Result<(), Broken> {
    let mut runs: Vec<Name> = runs.into_iter().collect();
    // In the order of time, the index grows only at its end.
    runs.sort();
    for some in runs.chunks(BATCH) {
        let (mut there, mut gone) = (Vec::new(), Vec::new());
        for run in some {
            match folder.glance(run) {
                Some(glance) => there.push(glance),
                None => gone.push(run.clone()),
            }
        }
        if !gone.is_empty() {
            index.forget(&gone)?;
        }
        if !there.is_empty() {
            index.put(&there)?;
        }
    }
    Ok(())
}

/// Returns the newest matching runs, at most `most` of them.
pub(super) fn list(
    folder: &RunsFolder,
    index: &mut dyn Index,
    filter: &Filter,
    most: usize,
) -> Result<RunPage, Broken> {
    let by_lock = [Ending::Unfinished, Ending::Running];
    // Which runs are being written follows from their locks; an index doesn't know it.
    let mut wanted = filter.clone();
    wanted.endings.iter_mut().filter(|ending| **ending == Ending::Running).for_each(|e| *e = Ending::Unfinished);
    let all = filter.endings.iter().any(|ending| by_lock.contains(ending));
    let count = if all { usize::MAX } else { most.saturating_add(1) };
    let open = |run: &RunEntry| run.outcome == Ending::Unfinished;
    // A run with an end was resumed, or its journal was damaged.
    let changed = |g: &RunSummary| !open(&g.entry) && !folder.is_as_long(&g.entry.run, g.size);
    let mut found = index.list(&wanted, count)?;
    if found.iter().any(changed) {
        look_again(folder, index, found.iter().filter(|g| changed(g)).map(|g| g.entry.run.clone()))?;
        found = index.list(&wanted, count)?;
    }
    let now = |RunSummary { entry, .. }| {
        if open(&entry) && folder.is_written(&entry) { RunEntry { outcome: Ending::Running, ..entry } } else { entry }
    };
    let passes = |run: &RunEntry| filter.endings.is_empty() || filter.endings.contains(&run.outcome);
    let mut runs: Vec<RunEntry> = found.into_iter().map(now).filter(passes).collect();
    let more = runs.len() > most;
    runs.truncate(most);
    Ok(RunPage { runs, more })
}
