//! The reasons to stop listening to a command.
use super::running::Running;
use crate::ssh::connection::Patience;
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

/// How often a command's `until` is checked.
pub(super) const WANTED: Duration = Duration::from_millis(200);

/// How long a login shell may take to reach the line, and how long on a host that is slow.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);
const BEGUN_SLOWLY_WITHIN: Duration = Duration::from_secs(120);
/// A login shell does about as much as this many times what opening a channel takes, at the most.
const SHELL: u32 = 20;

/// Why rfab stops listening to a command.
pub(super) enum StopReason {
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
///
/// `opened_in` is how long the host took to open the line's channel: a busy host has more time.
pub(super) async fn until_stuck(running: &Running, begun: &AtomicBool, halts: u32, opened_in: Duration) {
    let mut patience = Patience::new((opened_in * SHELL).clamp(BEGUN_WITHIN, BEGUN_SLOWLY_WITHIN));
    while !patience.is_over() && running.halts() == halts {
        patience.moment().await;
        if begun.load(SeqCst) {
            break;
        }
    }
    if begun.load(SeqCst) {
        std::future::pending().await
    }
}
