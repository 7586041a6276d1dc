//! The end of a run that the operator asks for.
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

    /// The signal, once there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.signal.load(Relaxed)).filter(|s| *s != 0)
    }

    /// From now on nothing is changed any more.
    pub(super) fn close(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Whether only how all stands is still read, which is not stopped.
    pub fn closing(&self) -> bool {
        self.closing.load(Relaxed)
    }
}
