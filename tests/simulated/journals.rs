//! Opens journals again while other threads of a test start processes.
use rfab::store::Journal;
use std::{
    io::ErrorKind,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Opens a journal to continue it.
///
/// Waits if it is locked: a process that another thread is about to start has a copy of every open file, with its lock,
/// for a moment.
pub fn reopen(file: &Path) -> Journal {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match Journal::reopen(file) {
            Err(e) if e.kind() == ErrorKind::WouldBlock && Instant::now() < until => thread::yield_now(),
            journal => return journal.unwrap(),
        }
    }
}
