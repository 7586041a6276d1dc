//! The reasons to stop listening to a command.
use super::running::Running;
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};

/// How often a command's `until` is checked.
pub(super) const WANTED: Duration = Duration::from_millis(200);

/// How long a login shell may take to reach the line.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);

/// Why rfab stops listening to a command.
pub(super) enum Over {
    /// It ended, or its connection did.
    Ended,
    Late(Duration),
    Unread(std::io::Error),
    Unwanted,
    /// The login shell never reached it.
    Stuck,
}

/// Returns when a command isn't wanted any more.
pub(super) async fn unwanted(until: Option<&(dyn Fn() -> bool + Send + Sync)>) {
    let Some(until) = until else { return std::future::pending().await };
    while !until() {
        tokio::time::sleep(WANTED).await;
    }
}

/// Returns when a line didn't begin in time, or when everything was stopped before it began.
pub(super) async fn until_stuck(running: &Running, begun: &AtomicBool, halts: u32) {
    let until = Instant::now() + BEGUN_WITHIN;
    while Instant::now() < until && running.halts() == halts {
        tokio::time::sleep(WANTED).await;
        if begun.load(SeqCst) {
            break;
        }
    }
    if begun.load(SeqCst) {
        std::future::pending().await
    }
}
