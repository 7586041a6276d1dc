//! The runs that this machine knows: a folder of journals, one for each run, and an index that finds them.
//!
//! The journals are the truth. The index contains all of the folder's runs, because a run enters itself before it makes
//! its journal. Each listing compares the folder's time with the mark in the index. So it notices a journal that came
//! or went in another way, without reading 100,000 names.
use super::{
    Head, Journal, Record, RunPage,
    entry::{Ending, RunEntry, RunSummary},
    folder::RunsFolder,
    index::{Broken, Filter, Index, Label},
    read,
    sqlite::Sqlite,
    upkeep::{catch_up, list, look_again, note},
};
use crate::{
    failure::{Cause, Failure},
    host::Name,
    misspelled::did_you_mean,
    secret::DigestKey,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder, and the index beside it.
pub struct Runs {
    folder: RunsFolder,
}

/// A run that has begun.
pub struct Begun {
    pub journal: Journal,
    /// Why the index doesn't contain the run; a listing finds it by its journal.
    pub unknown: Option<Failure>,
}

/// A run to continue.
pub struct Resumed {
    pub head: Head,
    pub journal: Journal,
    pub records: Vec<Record>,
}

impl Resumed {
    /// Returns whether it ended where a person has to do something that a resumed run wouldn't see.
    pub fn is_typed_again(&self) -> bool {
        let last = self.records.iter().rev().find(|record| matches!(record, Record::Ended(_) | Record::Resumed(_)));
        matches!(last, Some(Record::Ended(tail)) if tail.typed_again)
    }
}

impl Runs {
    /// Makes the runs of a folder; the index is a file beside it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: RunsFolder(folder) }
    }

    /// Begins a run's journal with its head.
    ///
    /// `Failed` when the journal can't be written: then the run doesn't begin. It begins without an index, because its
    /// journal is enough.
    pub fn begin(&self, head: &Head) -> Result<Begun, Failure> {
        self.folder.make().map_err(|e| self.unwritable(&e))?;
        let new = [RunSummary { entry: RunEntry::begun(head), size: 0 }];
        let mut index = Sqlite::open(&self.index()).and_then(|mut index| index.put(&new).map(|()| index));
        let before = self.folder.changed();
        let begun = || {
            let journal = Journal::create(&self.folder.journal(&head.run))?;
            journal.write(&Record::Begun(head.clone()), true)?;
            Ok(journal)
        };
        let journal = begun().map_err(|e| self.unwritable(&e))?;
        // Again: a listing may have missed the journal, and removed the run.
        let noted = index.as_mut().map_err(|broken| broken.clone()).and_then(|index| {
            index.put(&new)?;
            note(index, before, self.folder.changed())
        });
        let unknown = match noted {
            // The next listing fills an empty index.
            Err(Broken::Damaged(_)) => Sqlite::empty(&self.index()).err(),
            noted => noted.err(),
        };
        Ok(Begun { journal, unknown: unknown.map(|broken| self.refused(&broken)) })
    }

    /// Returns the key that seals secrets in journals; the folder must exist.
    ///
    /// `Failed` when the key can be neither read nor made.
    pub fn key(&self) -> Result<DigestKey, Failure> {
        let file = self.folder.beside("key");
        DigestKey::of(&file).map_err(|e| {
            Failure::failed(format!(
                "the key `{}`, which seals secrets in journals, can't be used: {e}",
                file.display()
            ))
            .help("nothing was started; if it is damaged, remove it: rfab makes a new one")
        })
    }

    /// Reads a run's journal into the index; if that fails, the next listing does it.
    pub fn take_up(&self, run: &Name) {
        if let Ok(mut index) = Sqlite::open(&self.index()) {
            let _ = look_again(&self.folder, &mut index, [run.clone()]);
        }
    }

    /// Returns the newest matching runs, at most `most` of them.
    ///
    /// `Failed` if there are none because no run has that fleet or task.
    pub fn list(&self, filter: &Filter, most: usize) -> Result<RunPage, Failure> {
        let listed = self.ask(|index| {
            catch_up(&self.folder, index)?;
            list(&self.folder, index, filter, most)
        })?;
        for (of, name) in [(Label::Fleet, &filter.fleet), (Label::Task, &filter.task)] {
            if let Some(name) = name.as_ref().filter(|_| listed.runs.is_empty()) {
                self.check(of, name)?;
            }
        }
        Ok(listed)
    }

    fn check(&self, of: Label, name: &str) -> Result<(), Failure> {
        let names = self.ask(|index| {
            catch_up(&self.folder, index)?;
            index.names(of)
        })?;
        if names.is_empty() || names.contains(&of.same(name)) {
            return Ok(());
        }
        let near = did_you_mean(&of.same(name), names.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| "`rfab --history` lists all runs".to_owned());
        Err(Failure::failed(format!("this machine has no run of a {} `{name}`", of.word())).help(help))
    }

    /// Opens the journal of a run that didn't end well, to continue it.
    ///
    /// `Failed` when there is no such run or it is done, `Locked` while it is in progress.
    pub fn resume(&self, run: &str) -> Result<Resumed, Failure> {
        let found = self.named(run)?;
        let run = &found.run;
        if found.outcome.is_done() {
            let how = if found.outcome == Ending::Aborted { "was aborted" } else { "is done" };
            return Err(Failure::failed(format!("run `{run}` {how}")).help("nothing was started"));
        }
        let path = self.folder.journal(run);
        let journal = Journal::reopen(&path).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => under_way(&found),
            _ => unreadable(&path, &e),
        })?;
        let records = records(&path).map_err(|e| unreadable(&path, &e))?;
        let Some(Record::Begun(head)) = records.first() else {
            return Err(unreadable(&path, &io::Error::other("it has no head")));
        };
        // From here on the index has it as unfinished, so each listing checks its journal.
        if let Ok(mut index) = Sqlite::open(&self.index()) {
            let _ = index.put(&[RunSummary { entry: RunEntry::begun(head), size: 0 }]);
        }
        Ok(Resumed { head: head.clone(), journal, records })
    }

    /// Returns the records of the run with an id that begins like this.
    ///
    /// `Failed` when there is none, or more than one.
    pub fn records(&self, run: &str) -> Result<Vec<Record>, Failure> {
        let path = self.folder.journal(&self.named(run)?.run);
        records(&path).map_err(|e| unreadable(&path, &e))
    }

    /// Returns the same records as the JSON texts in the journal.
    pub fn texts(&self, run: &str) -> Result<Vec<String>, Failure> {
        let path = self.folder.journal(&self.named(run)?.run);
        let texts = read(&path).map_err(|e| unreadable(&path, &e))?.records.into_iter().map(String::from_utf8);
        texts.collect::<Result<_, _>>().map_err(|e| unreadable(&path, &io::Error::other(e)))
    }

    /// Returns the summary of the one run with an id that begins like this, read from its journal.
    fn named(&self, run: &str) -> Result<RunEntry, Failure> {
        let mut found = self.ask(|index| {
            catch_up(&self.folder, index)?;
            index.find(run)
        })?;
        match (found.pop().and_then(|one| self.folder.glance(&one.run)), found.pop()) {
            (Some(one), None) => Ok(one.entry),
            (None, _) => Err(Failure::failed(format!("there is no run `{run}`")).help("`rfab --history` lists them")),
            (Some(_), Some(_)) => {
                Err(Failure::failed(format!("more than one run begins with `{run}`")).help("give more of its id"))
            }
        }
    }

    /// Reads the summary of a run from its journal.
    pub(super) fn glance(&self, run: &str) -> Option<RunEntry> {
        self.folder.glance(run).map(|glance| glance.entry)
    }

    /// Asks the index; a broken one is built again, in memory if it can't be written.
    fn ask<T>(&self, question: impl Fn(&mut dyn Index) -> Result<T, Broken>) -> Result<T, Failure> {
        if let Err(e) = fs::read_dir(self.folder.path()) {
            if e.kind() != io::ErrorKind::NotFound {
                return Err(unreadable(self.folder.path(), &e));
            }
            return Sqlite::in_memory().and_then(|mut none| question(&mut none)).map_err(|b| self.refused(&b));
        }
        let file = self.index();
        let asked = || Sqlite::open(&file).and_then(|mut index| question(&mut index));
        let answer = match asked() {
            Err(Broken::Damaged(_)) => Sqlite::empty(&file).and_then(|()| asked()),
            answer => answer,
        };
        let answer = match answer {
            Err(Broken::Damaged(_) | Broken::Other(_)) => {
                Sqlite::in_memory().and_then(|mut index| question(&mut index))
            }
            answer => answer,
        };
        answer.map_err(|broken| self.refused(&broken))
    }

    fn index(&self) -> PathBuf {
        self.folder.beside("index.sqlite3")
    }

    fn unwritable(&self, e: &io::Error) -> Failure {
        let message = format!("the journal can't be written to `{}`: {e}", self.folder.path().display());
        Failure::new(Cause::Failed, message).help("nothing was started; free some space there, or make it writable")
    }

    fn refused(&self, broken: &Broken) -> Failure {
        Failure::failed(format!("the index of runs, `{}`, can't be used: {broken}", self.index().display())).help(
            match broken {
                Broken::Newer { .. } => "use that rfab, or remove the file: rfab rebuilds it from the journals",
                _ => "runs don't need it: rfab rebuilds it from the journals once it can write it",
            },
        )
    }
}

/// Nobody resumes or aborts a run while it is under way.
fn under_way(run: &RunEntry) -> Failure {
    let behalf = run.on_behalf_of.as_ref().map(|whom| format!(" on behalf of {whom}")).unwrap_or_default();
    let RunEntry { run: id, who, from, since, line, .. } = run;
    Failure::new(
        Cause::Locked,
        format!("{who}'s run `{id}`{behalf} has been in progress on {from} since {since}: `rfab {line}`"),
    )
    .unchanged()
    .help(format!("`--wait` waits until it ends; `rfab --show {id}` tells what it has done so far"))
}

fn unreadable(path: &Path, e: &io::Error) -> Failure {
    Failure::new(Cause::Failed, format!("`{}` can't be read: {e}", path.display()))
}

/// Reads every record of a journal.
pub fn records(path: &Path) -> io::Result<Vec<Record>> {
    let parse = |text: Vec<u8>| serde_json::from_slice(&text).map_err(io::Error::other);
    read(path)?.records.into_iter().map(parse).collect()
}
