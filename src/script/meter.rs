//! What a script may use up: all lanes together, so that closures and lanes do not multiply it.
use crate::failure::{Cause, Failure};
use rhai::Dynamic;
use rustix::time::{ClockId, clock_gettime};
use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The most operations of a run, and as many more for each host that it may be about.
const OPERATIONS: u64 = 10_000_000;
const OPERATIONS_A_HOST: u64 = 200_000;

/// The most time of a processor that a run's scripts themselves take, and as much more for each host; one operation can
/// take long.
const TIME: Duration = Duration::from_secs(5);
const TIME_A_HOST: Duration = Duration::from_millis(100);

/// The clock is looked at every so many operations.
const EVERY: u64 = 64;

/// Counts a run's operations and their time.
#[derive(Default)]
pub struct Meter {
    operations: AtomicU64,
    nanoseconds: AtomicU64,
    /// The most hosts that it is about.
    hosts: AtomicU64,
}

thread_local! {
    /// The clock when it was looked at last; none while a primitive runs.
    static LOOKED: Cell<Option<Duration>> = const { Cell::new(None) };
    /// What no meter counted yet.
    static SPENT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

impl Meter {
    /// Begins anew, for the next run.
    pub fn begin(&self) {
        self.operations.store(0, Relaxed);
        self.nanoseconds.store(0, Relaxed);
        self.hosts.store(0, Relaxed);
    }

    /// Makes room for a run that is about so many hosts: a large fleet is never too much for a rollback.
    pub fn is_about(&self, hosts: usize) {
        self.hosts.fetch_max(hosts as u64, Relaxed);
    }

    /// Counts one; what comes back ends the script, and no `try` catches it.
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

/// Leaves the time of what is done here out of the script's own.
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
