//! The logs of runs: a folder for each run, beside its journal, with a file for each host.
use super::Log;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How long logs are kept …
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// … and how much of them, in bytes.
const MOST: u64 = 1 << 30;

const ENDING: &str = "logs";

/// The folder that contains all logs.
pub struct Logs {
    folder: PathBuf,
}

/// One run's logs, and their size.
struct KeptLog {
    folder: PathBuf,
    written: SystemTime,
    bytes: u64,
}

impl Logs {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the path of a run's log with this name.
    pub fn path(&self, run: &str, name: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = name.chars().map(plain).collect();
        self.folder.join(format!("{run}.{ENDING}")).join(format!("{name}.log"))
    }

    /// Opens a run's log with this name.
    pub fn open(&self, run: &str, name: &str) -> io::Result<Log> {
        Log::open(&self.path(run, name))
    }

    /// Returns a run's logs, by name; empty if there are none.
    pub fn of(&self, run: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.join(format!("{run}.{ENDING}"))).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// Removes logs that are too old, then the oldest ones if there are too many; never those of a running run.
    pub fn sweep(&self) {
        self.sweep_at(SystemTime::now(), MOST);
    }

    fn sweep_at(&self, now: SystemTime, most: u64) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let folders = entries.filter(|path| path.extension().is_some_and(|e| e == ENDING));
        let mut kept: Vec<KeptLog> = folders.filter_map(measured).collect();
        kept.sort_by_key(|one| std::cmp::Reverse(one.written));
        let mut all = 0;
        for KeptLog { folder, written, bytes } in kept {
            all += bytes;
            let old = now.duration_since(written).is_ok_and(|age| age > LONGEST);
            if (old || all > most) && !under_way(&folder) && fs::remove_dir_all(&folder).is_ok() {
                all -= bytes;
            }
        }
    }
}

/// Returns the size of a run's logs, and when one of them was last written.
fn measured(folder: PathBuf) -> Option<KeptLog> {
    let (mut written, mut bytes) = (fs::metadata(&folder).ok()?.modified().ok()?, 0);
    for file in fs::read_dir(&folder).ok()?.flatten() {
        let file = file.metadata().ok()?;
        written = written.max(file.modified().ok()?);
        bytes += file.len();
    }
    Some(KeptLog { folder, written, bytes })
}

/// Returns whether a run holds its journal, which is beside its logs.
fn under_way(folder: &Path) -> bool {
    let journal = File::open(folder.with_extension("journal"));
    journal.is_ok_and(|journal| flock(&journal, FlockOperation::NonBlockingLockShared).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_logs_and_the_oldest_of_too_many_are_removed_but_not_those_of_a_run_that_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::new(folder.path().to_owned());
        let now = SystemTime::now();
        for (run, days) in [("a", 40), ("b", 39), ("c", 3), ("d", 2), ("e", 1)] {
            let mut log = logs.open(run, "prod.web/1").unwrap();
            log.write(&[b'x'; 100]).unwrap();
            let file = File::options().write(true).open(logs.path(run, "prod.web/1")).unwrap();
            file.set_modified(now - Duration::from_secs(days * 24 * 60 * 60)).unwrap();
            File::open(file_of(&logs, run)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        let journal = File::create(folder.path().join("b.journal")).unwrap();
        flock(&journal, FlockOperation::NonBlockingLockExclusive).unwrap();
        logs.sweep_at(now, 250);
        let left: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(|run| !logs.of(run).is_empty()).collect();
        assert_eq!(left, ["b", "d", "e"]);
        assert_eq!(logs.of("e"), [folder.path().join("e.logs/prod.web_1.log")]);
        assert_eq!(logs.of("nobody's"), Vec::<PathBuf>::new());
    }

    fn file_of(logs: &Logs, run: &str) -> PathBuf {
        logs.path(run, "x").parent().unwrap().to_owned()
    }
}
