//! A file on its way from a host.
use super::On;
use crate::{
    command::Command,
    effect::At,
    event::EventKind,
    failure::Failure,
    port::{Ended, Job, LineSink},
    ssh::PROGRESS,
    temporary::TemporaryFile,
};
use sha2::{Digest, Sha256};
use std::{
    io::{self, Write},
    path::Path,
    sync::Mutex,
    time::Instant,
};

/// A file that is written in pieces, and its digest so far.
struct Arriving(Mutex<ArrivingState>);

struct ArrivingState {
    temp: TemporaryFile,
    hasher: Sha256,
    done: u64,
    told: Instant,
    failed: Option<io::Error>,
}

impl Arriving {
    fn into(temp: TemporaryFile) -> Self {
        Self(Mutex::new(ArrivingState { temp, hasher: Sha256::new(), done: 0, told: Instant::now(), failed: None }))
    }

    /// Writes a piece; from time to time, returns how many bytes have arrived.
    fn take(&self, bytes: &[u8]) -> Option<u64> {
        let mut state = self.0.lock().unwrap();
        if state.failed.is_some() {
            return None;
        }
        state.hasher.update(bytes);
        if let Err(e) = state.temp.write_all(bytes) {
            state.failed = Some(e);
        }
        state.done += bytes.len() as u64;
        let due = state.told.elapsed() > PROGRESS;
        if due {
            state.told = Instant::now();
        }
        due.then_some(state.done)
    }

    /// Returns whether a write has failed.
    fn failed(&self) -> bool {
        self.0.lock().unwrap().failed.is_some()
    }

    /// Returns how many bytes have arrived.
    fn so_far(&self) -> u64 {
        self.0.lock().unwrap().done
    }

    /// Returns the complete file, synced, and its sha256 in hex.
    fn done(self) -> io::Result<(TemporaryFile, String)> {
        let ArrivingState { temp, hasher, failed, .. } = self.0.into_inner().unwrap();
        if let Some(e) = failed {
            return Err(e);
        }
        temp.as_file().sync_all()?;
        Ok((temp, hex::encode(hasher.finalize())))
    }
}

/// Writes what a command prints into a file beside `to`; returns how the command ended, the file, and its sha256.
///
/// `total` is the expected number of bytes, or 0 if it is unknown. `Failed` when the file can't be written, or when the
/// person asks rfab to stop: then the command is stopped.
pub(super) async fn arrived(
    at: &At<'_>,
    on: &On,
    command: &Command,
    to: &Path,
    total: u64,
    heard: Option<&LineSink<'_>>,
) -> Result<(Ended, TemporaryFile, String), Failure> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let arriving = Arriving::into(TemporaryFile::make_in(folder).map_err(|e| unwritable(to, &e))?);
    let tell = |done: u64| {
        let (host, total) = (Some(on.host.name.clone()), total.max(done));
        at.tell(EventKind::Progressed { host, what: "got".into(), done, total, unit: "bytes" });
    };
    let take = |bytes: &[u8]| arriving.take(bytes).into_iter().for_each(tell);
    let asked = || at.real.person.stops();
    let stops = || arriving.failed() || asked();
    let job = Job { into: Some(&take), heard, until: Some(&stops), changes_logins: true, ..on.job(command) };
    let ended = on.run(at, job).await;
    if arriving.failed() {
        return Err(arriving
            .done()
            .map_or_else(|e| unwritable(to, &e), |_| unwritable(to, &io::ErrorKind::Other.into())));
    }
    let ended = ended?;
    if ended.status == Job::STOPPED && asked() {
        let message =
            format!("`{}` wasn't fetched: {} was interrupted and was stopped", to.display(), on.shown(command));
        return Err(Failure::failed(message)
            .on(&on.host.name)
            .help("an existing file or folder of that name is unchanged"));
    }
    if ended.status == 0 {
        tell(arriving.so_far());
    }
    let (file, digest) = arriving.done().map_err(|e| unwritable(to, &e))?;
    Ok((ended, file, digest))
}

/// Checks that no file is where a file of this machine needs a folder. An earlier step of the run may make a folder
/// that isn't there.
pub(super) fn place(to: &Path) -> Result<(), Failure> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match std::fs::metadata(folder) {
        Ok(about) if !about.is_dir() => Err(unwritable(to, &io::ErrorKind::NotADirectory.into())),
        _ => Ok(()),
    }
}

/// Makes the failure for a file of this machine that can't be written.
pub(super) fn unwritable(to: &Path, e: &io::Error) -> Failure {
    Failure::failed(format!("`{}` can't be written: {e}", to.display())).help(
        "an existing file or folder of that name is unchanged; if a disk of this machine is full, free some space",
    )
}
