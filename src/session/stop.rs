//! The operator's request to end a run.
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// Whether the operator wants the run to end, and by which signal.
#[derive(Default)]
pub struct Stop {
    signal: AtomicU8,
    closing: AtomicBool,
}

impl Stop {
    pub fn by(&self, signal: u8) {
        self.signal.store(signal, Relaxed);
    }

    /// Returns the signal, if there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Relaxed)).filter(|s| *s != 0)
    }

    /// Marks that nothing is changed from here on.
    pub(super) fn close(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Returns whether the run is only reading the final state, which isn't stopped.
    pub fn closing(&self) -> bool {
        self.closing.load(Relaxed)
    }
}
