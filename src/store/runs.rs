//! The runs that this machine knows of: a folder of journals, one a run, and an index that finds them.
//!
//! The journals are the truth. The index has whatever the folder has, for a run puts itself there before it makes its
//! journal; and each listing compares the folder's time with that noted down in the index, so that also a journal that
//! came or went otherwise is noticed without reading 100,000 names.
use super::{
    Ending, Entry, Glance, Head, Journal, Record, glance,
    index::{Broken, Filter, Index, Label},
    read,
    sqlite::Sqlite,
};
use crate::{
    failure::{Failure, Reason},
    fleet,
    host::Name,
};
use rustix::fs::{FlockOperation, flock};
use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The folder, which its owner alone may look into.
pub struct Runs {
    folder: PathBuf,
}

/// A run that has begun.
pub struct Begun {
    pub journal: Journal,
    /// Why the index does not know it; whoever lists runs finds it by its journal.
    pub unknown: Option<Failure>,
}

/// A run to go on with.
pub struct Resumed {
    pub head: Head,
    pub journal: Journal,
    pub records: Vec<Record>,
}

/// Runs, the newest first.
#[derive(Debug, PartialEq)]
pub struct Listed {
    pub runs: Vec<Entry>,
    /// Whether there are older ones that pass, too.
    pub more: bool,
}

const ENDING: &str = "journal";

/// A folder that changed so recently may change again without having another time.
const SETTLED: Duration = Duration::from_secs(1);

/// So many journals are taken up at once, lest others wait long.
const BATCH: usize = 500;

impl Runs {
    /// Those in a folder; the index is a file beside it.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins a run's journal with its head.
    ///
    /// `Failed` when it cannot be written: then the run does not begin. Without an index it does: what it did is told
    /// by its journal.
    pub fn begin(&self, head: &Head) -> Result<Begun, Failure> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|e| self.unwritable(&e))?;
        let new = [Glance { entry: Entry::begun(head), size: 0 }];
        let mut index = Sqlite::open(&self.index()).and_then(|mut index| index.put(&new).map(|()| index));
        let before = self.changed();
        let begun = || {
            let journal = Journal::create(&self.path(&head.run))?;
            let text = serde_json::to_vec(&Record::Begun(head.clone())).expect("a head is plain data");
            journal.append(&text, true)?;
            Ok(journal)
        };
        let journal = begun().map_err(|e| self.unwritable(&e))?;
        // Once more: a listing may have missed its journal, and forgotten it.
        let unknown = match &mut index {
            Ok(index) => index.put(&new).and_then(|()| self.note(index, before, self.changed())).err(),
            Err(broken) => Some(broken.clone()),
        };
        Ok(Begun { journal, unknown: unknown.map(|broken| self.refused(&broken)) })
    }

    /// Takes up in the index what a run's journal says now; if that fails the next listing does it.
    pub fn known(&self, run: &Name) {
        if let Ok(mut index) = Sqlite::open(&self.index()) {
            let _ = self.look_again(&mut index, [run.clone()]);
        }
    }

    /// The newest runs that pass, and at most so many.
    ///
    /// `Failed` if there is none because no run was ever of that fleet or task.
    pub fn list(&self, filter: &Filter, most: usize) -> Result<Listed, Failure> {
        let listed = self.ask(|index| {
            self.catch_up(index)?;
            self.listed(index, filter, most)
        })?;
        for (of, name) in [(Label::Fleet, &filter.fleet), (Label::Task, &filter.task)] {
            if let Some(name) = name.as_ref().filter(|_| listed.runs.is_empty()) {
                self.check(of, name)?;
            }
        }
        Ok(listed)
    }

    fn check(&self, of: Label, name: &str) -> Result<(), Failure> {
        let names = self.ask(|index| index.names(of))?;
        if names.is_empty() || names.contains(&of.same(name)) {
            return Ok(());
        }
        let near = fleet::did_you_mean(&of.same(name), names.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| "`rfab --history` lists the runs that there are".to_owned());
        Err(Failure::failed(format!("no run of a {} `{name}` is known on this machine", of.word())).help(help))
    }

    /// Opens the journal of a run that did not end well, to go on with it: the newest if none is named.
    ///
    /// `Failed` when there is none or it is done, `Locked` while it is still under way.
    pub fn resume(&self, run: Option<&str>) -> Result<Resumed, Failure> {
        let found = match run {
            Some(run) => self.named(run)?,
            None => {
                let endings = Ending::ALL.into_iter().filter(|ending| !ending.is_done()).collect();
                let not_done = Filter { endings, ..Filter::default() };
                self.list(&not_done, 1)?.runs.pop().ok_or_else(|| {
                    Failure::failed("there is no run that did not end well").help("`rfab --history` lists them")
                })?
            }
        };
        let run = found.run;
        if found.outcome.is_done() {
            return Err(Failure::failed(format!("run `{run}` is done")).help("nothing was begun"));
        }
        let path = self.path(&run);
        let journal = Journal::go_on(&path).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => Failure::new(Reason::Locked, format!("run `{run}` is still under way")),
            _ => unreadable(&path, &e),
        })?;
        let records = records(&path).map_err(|e| unreadable(&path, &e))?;
        let Some(Record::Begun(head)) = records.first() else {
            return Err(unreadable(&path, &io::Error::other("it has no head")));
        };
        // From now on it is one that has not come to its end, and its journal is looked at by each listing.
        if let Ok(mut index) = Sqlite::open(&self.index()) {
            let _ = index.put(&[Glance { entry: Entry::begun(head), size: 0 }]);
        }
        Ok(Resumed { head: head.clone(), journal, records })
    }

    /// The records of the run whose id begins so.
    ///
    /// `Failed` when there is none, or more than one.
    pub fn records(&self, run: &str) -> Result<Vec<Record>, Failure> {
        let path = self.path(&self.named(run)?.run);
        records(&path).map_err(|e| unreadable(&path, &e))
    }

    /// The same as they stand in the journal: JSON, one a record.
    pub fn texts(&self, run: &str) -> Result<Vec<String>, Failure> {
        let path = self.path(&self.named(run)?.run);
        let texts = read(&path).map_err(|e| unreadable(&path, &e))?.records.into_iter().map(String::from_utf8);
        texts.collect::<Result<_, _>>().map_err(|e| unreadable(&path, &io::Error::other(e)))
    }

    fn named(&self, run: &str) -> Result<Entry, Failure> {
        let mut found = self.ask(|index| {
            self.catch_up(index)?;
            index.find(run)
        })?;
        match (found.pop(), found.pop()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::failed(format!("there is no run `{run}`")).help("`rfab --history` lists them")),
            (Some(_), Some(_)) => {
                Err(Failure::failed(format!("more than one run begins with `{run}`")).help("give more of its id"))
            }
        }
    }

    /// Has the index answer; one that cannot is made anew, or, where nothing can be written, for this answer alone.
    fn ask<T>(&self, question: impl Fn(&mut dyn Index) -> Result<T, Broken>) -> Result<T, Failure> {
        if let Err(e) = fs::read_dir(&self.folder) {
            if e.kind() != io::ErrorKind::NotFound {
                return Err(unreadable(&self.folder, &e));
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

    /// Takes up what came, went or changed since the index was last asked.
    fn catch_up(&self, index: &mut dyn Index) -> Result<(), Broken> {
        let (changed, mark) = (self.changed(), index.mark()?);
        if changed.as_ref().map(|c| &c.0) != mark.as_ref() {
            let there: HashSet<Name> = self.there().map_err(|e| Broken::Other(e.to_string()))?;
            let known: HashSet<Name> = index.known(false)?.into_iter().map(|(run, _)| run).collect();
            self.look_again(index, known.symmetric_difference(&there).cloned())?;
            if let Some((now, at)) = changed
                && at.elapsed().is_ok_and(|ago| ago > SETTLED)
            {
                index.set_mark(mark.as_deref(), &now)?;
            }
        }
        let unfinished = index.known(true)?.into_iter();
        self.look_again(index, unfinished.filter(|(run, size)| self.size(run) != Some(*size)).map(|(run, _)| run))
    }

    fn listed(&self, index: &mut dyn Index, filter: &Filter, most: usize) -> Result<Listed, Broken> {
        let by_lock = [Ending::Unfinished, Ending::Running];
        // What is written to at this moment is known by its lock, and to no index.
        let mut wanted = filter.clone();
        wanted.endings.iter_mut().filter(|e| **e == Ending::Running).for_each(|e| *e = Ending::Unfinished);
        let count =
            if filter.endings.iter().any(|e| by_lock.contains(e)) { usize::MAX } else { most.saturating_add(1) };
        let changed = |glance: &Glance| {
            glance.entry.outcome != Ending::Unfinished && self.size(&glance.entry.run) != Some(glance.size)
        };
        let mut found = index.list(&wanted, count)?;
        if found.iter().any(changed) {
            self.look_again(index, found.iter().filter(|g| changed(g)).map(|g| g.entry.run.clone()))?;
            found = index.list(&wanted, count)?;
        }
        let runs = found.into_iter().map(|glance| Entry { outcome: self.outcome(&glance.entry), ..glance.entry });
        let mut runs: Vec<Entry> =
            runs.filter(|run| filter.endings.is_empty() || filter.endings.contains(&run.outcome)).collect();
        let more = runs.len() > most;
        runs.truncate(most);
        Ok(Listed { runs, more })
    }

    /// Takes up what the journals of these say now, and forgets those that have none.
    fn look_again(&self, index: &mut dyn Index, runs: impl IntoIterator<Item = Name>) -> Result<(), Broken> {
        let runs: Vec<Name> = runs.into_iter().collect();
        for some in runs.chunks(BATCH) {
            let glances: Vec<(&Name, Option<Glance>)> =
                some.iter().map(|run| (run, glance(&self.path(run)).ok().flatten())).collect();
            let gone: Vec<Name> = glances.iter().filter(|(_, g)| g.is_none()).map(|(run, _)| (*run).clone()).collect();
            let there: Vec<Glance> = glances.into_iter().filter_map(|(_, glance)| glance).collect();
            if !gone.is_empty() {
                index.forget(&gone)?;
            }
            if !there.is_empty() {
                index.put(&there)?;
            }
        }
        Ok(())
    }

    /// Notes down that the folder's change was that of a run which the index knows.
    fn note(&self, index: &mut dyn Index, before: Option<Changed>, now: Option<Changed>) -> Result<(), Broken> {
        match (before, now) {
            (Some((before, _)), Some((now, _))) if index.mark()?.as_ref() == Some(&before) => {
                index.set_mark(Some(&before), &now)
            }
            _ => Ok(()),
        }
    }

    fn outcome(&self, entry: &Entry) -> Ending {
        let written = || {
            let file = File::open(self.path(&entry.run)).ok()?;
            flock(&file, FlockOperation::NonBlockingLockShared).err()
        };
        let open = entry.outcome == Ending::Unfinished;
        if open && written() == Some(rustix::io::Errno::WOULDBLOCK) { Ending::Running } else { entry.outcome }
    }

    /// The runs that have a journal.
    fn there(&self) -> io::Result<HashSet<Name>> {
        let names = fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
        let run = |name: io::Result<String>| {
            name.map(|name| name.strip_suffix(ENDING).and_then(|n| n.strip_suffix('.')).map(Name::from)).transpose()
        };
        names.filter_map(run).collect()
    }

    /// When the folder changed last.
    fn changed(&self) -> Option<Changed> {
        let known = fs::metadata(&self.folder).ok()?;
        Some((format!("{} {}.{:09}", known.ino(), known.mtime(), known.mtime_nsec()), known.modified().ok()?))
    }

    fn size(&self, run: &str) -> Option<u64> {
        fs::metadata(self.path(run)).ok().map(|known| known.len())
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.{ENDING}"))
    }

    fn index(&self) -> PathBuf {
        self.folder.with_file_name("index.sqlite3")
    }

    fn unwritable(&self, e: &io::Error) -> Failure {
        let message = format!("the journal cannot be written to `{}`: {e}", self.folder.display());
        Failure::new(Reason::Failed, message).help("nothing was begun; make room there, or let it be written")
    }

    fn refused(&self, broken: &Broken) -> Failure {
        Failure::failed(format!("the index of runs, `{}`, cannot be used: {broken}", self.index().display())).help(
            match broken {
                Broken::Newer { .. } => "take that rfab, or remove the file: it is made again from the journals",
                _ => "it is not needed to run: it is made again from the journals when it can be written",
            },
        )
    }
}

/// The folder's time as it is noted down, and as it is compared with now.
type Changed = (String, SystemTime);

fn unreadable(path: &Path, e: &io::Error) -> Failure {
    Failure::new(Reason::Failed, format!("`{}` cannot be read: {e}", path.display()))
}

/// Every record of a journal.
pub fn records(path: &Path) -> io::Result<Vec<Record>> {
    let parse = |text: Vec<u8>| serde_json::from_slice(&text).map_err(io::Error::other);
    read(path)?.records.into_iter().map(parse).collect()
}
