//! Why nobody listens to a command any more.
use super::running::Running;
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};

/// How often it is asked whether a command is still wanted.
pub const WANTED: Duration = Duration::from_millis(200);

/// How long a login shell may take to come to what it is asked to run.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);

/// Why nobody listens to a command any more.
pub enum Over {
    /// It ended, or its connection did.
    Ended,
    Late(Duration),
    Unread(std::io::Error),
    Unwanted,
    /// The login shell never came to it.
    Stuck,
}

/// Comes to its end when a command is not wanted any more.
pub async fn unwanted(until: Option<&(dyn Fn() -> bool + Send + Sync)>) {
    let Some(until) = until else { return std::future::pending().await };
    while !until() {
        tokio::time::sleep(WANTED).await;
    }
}

/// Comes to its end when a line was not begun in time, or when everything was stopped before it was.
pub async fn until_stuck(running: &Running, begun: &AtomicBool, halts: u32) {
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
