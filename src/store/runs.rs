//! The runs that this machine knows of: a folder of journals, one a run.
use super::{Head, Journal, Record, Tail, read};
use crate::failure::{Failure, Reason};
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// The folder, which its owner alone may look into.
pub struct Runs {
    folder: PathBuf,
}

/// A run in one glance.
#[derive(Clone, Debug)]
pub struct Summary {
    pub head: Head,
    /// None for a run that has not come to its end.
    pub tail: Option<Tail>,
}

/// A run to go on with.
pub struct Resumed {
    pub head: Head,
    pub journal: Journal,
    pub records: Vec<Record>,
}

const ENDING: &str = "journal";

impl Runs {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins a run's journal with its head.
    ///
    /// `Failed` when it cannot be written: then the run does not begin.
    pub fn begin(&self, head: &Head) -> Result<Journal, Failure> {
        let begun = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
            let journal = Journal::create(&self.path(&head.run))?;
            let text = serde_json::to_vec(&Record::Begun(head.clone())).expect("a head is plain data");
            journal.append(&text, true)?;
            Ok(journal)
        };
        begun().map_err(|e| self.unwritable(&e))
    }

    /// Every run, the newest first; a file that is no journal is left out.
    pub fn all(&self) -> Result<Vec<Summary>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| self.unreadable(&self.folder, &e))?,
        };
        let journals =
            entries.flatten().map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == ENDING));
        let mut runs: Vec<Summary> = journals.filter_map(|path| summary(&path).ok().flatten()).collect();
        // A run's id begins with its time.
        runs.sort_by(|a, b| b.head.run.cmp(&a.head.run));
        Ok(runs)
    }

    /// Opens the journal of a run that did not end well, to go on with it: the newest if none is named.
    ///
    /// `Failed` when there is none or it is done, `Locked` while it is still under way.
    pub fn resume(&self, run: Option<&str>) -> Result<Resumed, Failure> {
        let unfinished = |s: &Summary| s.tail.as_ref().is_none_or(|tail| tail.exit != 0);
        let found = match run {
            Some(run) => self.named(run)?,
            None => self.all()?.into_iter().find(unfinished).ok_or_else(|| {
                Failure::failed("there is no run that did not end well").help("`rfab --history` lists them")
            })?,
        };
        if !unfinished(&found) {
            return Err(Failure::failed(format!("run `{}` is done", found.head.run)).help("nothing was begun"));
        }
        let (path, head) = (self.path(&found.head.run), found.head);
        let journal = Journal::go_on(&path).map_err(|e| match e.kind() {
            io::ErrorKind::WouldBlock => Failure::new(Reason::Locked, format!("run `{}` is still under way", head.run)),
            _ => self.unreadable(&path, &e),
        })?;
        let records = records(&path).map_err(|e| self.unreadable(&path, &e))?;
        Ok(Resumed { head, journal, records })
    }

    /// The records of the run whose id begins so.
    ///
    /// `Failed` when there is none, or more than one.
    pub fn records(&self, run: &str) -> Result<Vec<Record>, Failure> {
        let path = self.path(&self.named(run)?.head.run);
        records(&path).map_err(|e| self.unreadable(&path, &e))
    }

    fn named(&self, run: &str) -> Result<Summary, Failure> {
        let all = self.all()?;
        let mut found = all.iter().filter(|s| s.head.run.starts_with(run));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.clone()),
            (None, _) => Err(Failure::failed(format!("there is no run `{run}`")).help("`rfab --history` lists them")),
            (Some(_), Some(_)) => {
                Err(Failure::failed(format!("more than one run begins with `{run}`")).help("give more of its id"))
            }
        }
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.{ENDING}"))
    }

    fn unwritable(&self, e: &io::Error) -> Failure {
        let message = format!("the journal cannot be written to `{}`: {e}", self.folder.display());
        Failure::new(Reason::Failed, message).help("nothing was begun; make room there, or let it be written")
    }

    fn unreadable(&self, path: &Path, e: &io::Error) -> Failure {
        Failure::new(Reason::Failed, format!("`{}` cannot be read: {e}", path.display()))
    }
}

/// Every record of a journal.
pub fn records(path: &Path) -> io::Result<Vec<Record>> {
    let parse = |text: Vec<u8>| serde_json::from_slice(&text).map_err(io::Error::other);
    read(path)?.records.into_iter().map(parse).collect()
}

fn summary(path: &Path) -> io::Result<Option<Summary>> {
    let mut kept = read(path)?.records;
    let of = |text: &[u8]| serde_json::from_slice::<Record>(text).map_err(io::Error::other);
    let last = kept.pop();
    let first = kept.first().or(last.as_ref());
    let Some(Record::Begun(head)) = first.map(|text| of(text)).transpose()? else { return Ok(None) };
    let tail = match last.map(|text| of(&text)).transpose()? {
        Some(Record::Ended(tail)) => Some(tail),
        _ => None,
    };
    Ok(Some(Summary { head, tail }))
}
