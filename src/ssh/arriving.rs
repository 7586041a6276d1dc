//! A file on its way from a host.
use super::openssh::PROGRESS;
use sha2::{Digest, Sha256};
use std::{
    io::{self, Write},
    sync::Mutex,
    time::Instant,
};
use tempfile::NamedTempFile;

/// A file that is written piece by piece, and its digest so far.
pub struct Arriving(Mutex<State>);

struct State {
    temp: NamedTempFile,
    hasher: Sha256,
    done: u64,
    told: Instant,
    failed: Option<io::Error>,
}

impl Arriving {
    pub fn into(temp: NamedTempFile) -> Self {
        Self(Mutex::new(State { temp, hasher: Sha256::new(), done: 0, told: Instant::now(), failed: None }))
    }

    /// Writes a piece; gives how much there is, every now and then.
    pub fn take(&self, bytes: &[u8]) -> Option<u64> {
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

    /// How much there is.
    pub fn so_far(&self) -> u64 {
        self.0.lock().unwrap().done
    }

    /// The whole file, synced, and its sha256 in hex.
    pub fn done(self) -> io::Result<(NamedTempFile, String)> {
        let State { temp, hasher, failed, .. } = self.0.into_inner().unwrap();
        if let Some(e) = failed {
            return Err(e);
        }
        temp.as_file().sync_all()?;
        Ok((temp, hex::encode(hasher.finalize())))
    }
}
