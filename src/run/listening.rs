//! Tells those who listen how the run ended, and waits for the messages.
use crate::{
    effect::Lane,
    event::{EventKind, HostRow},
    failure::{Exit, Failure},
    notice::ReadUndelivered,
    script::{Here, RunResult, tell_end},
    session::LeftOut,
};
use std::sync::Arc;

/// Tells those who listen how the run ended, then waits for all messages, and warns once of those that didn't arrive.
///
/// The locks are released already, so nobody waits for it.
pub(super) fn end(here: &Here, lane: &Arc<Lane>, exit: Exit, failures: &[Failure], table: &[HostRow]) {
    if !here.listeners.are_needed() {
        return;
    }
    let left_out = here.session.observed.all_left_out().into_iter().map(|left| match left {
        LeftOut::Why(why) => why,
        LeftOut::Failed(failure) => failure.to_string(),
    });
    let failure = failures.iter().map(ToString::to_string).chain(left_out).next();
    let took = lane.world().now(lane).saturating_sub(lane.world().begins()) / 1_000;
    let closing = Here { lane: lane.clone(), defers: Arc::default(), ..here.clone() };
    // The run has ended, so it can't end here.
    let _ = tell_end(&closing, RunResult { exit, failure, took, release: served(table) });
    let undelivered = lane.perform(ReadUndelivered).unwrap_or_else(|failure| vec![failure.message]);
    undelivered.into_iter().for_each(|why| here.listeners.miss(why));
    let missed = here.listeners.missed();
    if !missed.is_empty() {
        lane.tell(EventKind::Warned { host: None, text: format!("some notifications failed: {}", missed.join("; ")) });
    }
}

/// Returns the release that all hosts have, if it's the same.
fn served(table: &[HostRow]) -> Option<String> {
    let name = |row: &HostRow| row.new_name.clone().or_else(|| row.new.clone());
    let first = name(table.first()?)?;
    table.iter().all(|row| name(row).as_ref() == Some(&first)).then_some(first)
}
