//! The folder of journals, one for each run, as other processes see it.
use super::entry::{RunEntry, RunSummary, glance};
use crate::host::Name;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const ENDING: &str = "journal";

/// A folder that changed more recently than this may change again and keep the same time.
const SETTLED: Duration = Duration::from_secs(1);

/// The folder, which only its owner can read.
pub(super) struct RunsFolder(pub PathBuf);

/// When a folder last changed.
pub(super) struct FolderTime {
    /// The text that is kept as a mark.
    pub text: String,
    at: Option<SystemTime>,
}

impl FolderTime {
    /// Returns whether any later change will have another time.
    pub(super) fn is_settled(&self) -> bool {
        self.at.and_then(|at| at.elapsed().ok()).is_some_and(|ago| ago > SETTLED)
    }
}

impl RunsFolder {
    pub(super) fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    pub(super) fn journal(&self, run: &str) -> PathBuf {
        self.0.join(format!("{run}.{ENDING}"))
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.0.with_file_name(name)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn changed(&self) -> Option<FolderTime> {
        let known = fs::metadata(&self.0).ok()?;
        let text = format!("{} {}.{:09}", known.ino(), known.mtime(), known.mtime_nsec());
        Some(FolderTime { text, at: known.modified().ok() })
    }

    /// Returns the runs that have a journal.
    pub(super) fn runs(&self) -> io::Result<HashSet<Name>> {
        let run = |entry: io::Result<fs::DirEntry>| {
            let name = entry.map(|entry| entry.file_name().into_string().unwrap_or_default());
            name.map(|name| name.strip_suffix(ENDING).and_then(|n| n.strip_suffix('.')).map(Name::from)).transpose()
        };
        fs::read_dir(&self.0)?.filter_map(run).collect()
    }

    /// Returns the summary of a run's journal; none if there is no journal.
    pub(super) fn glance(&self, run: &str) -> Option<RunSummary> {
        glance(&self.journal(run)).ok().flatten()
    }

    /// Returns whether a run's journal still has this size.
    pub(super) fn is_as_long(&self, run: &str, size: u64) -> bool {
        fs::metadata(self.journal(run)).is_ok_and(|known| known.len() == size)
    }

    /// Returns whether a run's journal is being written at the moment: the writer holds its lock.
    pub(super) fn is_written(&self, run: &RunEntry) -> bool {
        let file = File::open(self.journal(&run.run));
        file.is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
    }
}
