//! Limits what scripts use up, for all lanes together, so that closures and lanes can't multiply it.
use crate::failure::{Cause, Failure};
use rhai::Dynamic;
use rustix::time::{ClockId, clock_gettime};
use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The most operations of a run; the second limit is added for each of its hosts.
const OPERATIONS: u64 = 10_000_000;
const OPERATIONS_A_HOST: u64 = 200_000;

/// The most processor time of a run's own scripts; the second limit is added for each host. A single operation can take
/// long.
const TIME: Duration = Duration::from_secs(5);
const TIME_A_HOST: Duration = Duration::from_millis(100);

/// The clock is read once per this many operations.
const EVERY: u64 = 64;

/// Counts a run's operations and their time.
#[derive(Default)]
pub struct Meter {
    operations: AtomicU64,
    nanoseconds: AtomicU64,
    /// The most hosts that the run was about.
    hosts: AtomicU64,
}

thread_local! {
    /// When the clock was last read; none while a primitive runs.
    static LOOKED: Cell<Option<Duration>> = const { Cell::new(None) };
    /// The time that no meter has counted yet.
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

impl Meter {
    /// Starts again, for the next run.
    pub fn begin(&self) {
        self.operations.store(0, Relaxed);
        self.nanoseconds.store(0, Relaxed);
        self.hosts.store(0, Relaxed);
    }

    /// Raises the limits for a run with this many hosts: no fleet is too large for a rollback.
    pub fn is_about(&self, hosts: usize) {
        self.hosts.fetch_max(hosts as u64, Relaxed);
    }

    /// Counts one operation; a returned value ends the script, and no `try` catches it.
    pub fn tick(&self) -> Option<Dynamic> {
        let operations = self.operations.fetch_add(1, Relaxed);
        if operations.is_multiple_of(EVERY) {
            look(true);
            self.nanoseconds.fetch_add(SPENT.take().as_nanos() as u64, Relaxed);
        }
        let hosts = self.hosts.load(Relaxed);
        let most = OPERATIONS.saturating_add(OPERATIONS_A_HOST.saturating_mul(hosts));
        let time = TIME.as_nanos() as u64 + (TIME_A_HOST.as_nanos() as u64).saturating_mul(hosts);
        let spent = operations >= most || self.nanoseconds.load(Relaxed) >= time;
        spent.then(|| Dynamic::from(Failure::new(Cause::Fabfile, "the script never stops computing")))
    }
}

/// Runs `f` without counting its time as the script's.
pub fn unmetered<T>(f: impl FnOnce() -> T) -> T {
    look(false);
    let value = f();
    LOOKED.set(None);
    look(true);
    value
}

fn look(goes_on: bool) {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let now = Duration::new(now.tv_sec as u64, now.tv_nsec as u32);
    if let Some(before) = LOOKED.replace(goes_on.then_some(now)) {
        SPENT.set(SPENT.get() + now.saturating_sub(before));
    }
}
