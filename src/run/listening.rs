//! Tells those who listen how the run ended.
use crate::{
    effect::Lane,
    event::{HostRow, What},
    failure::{Exit, Failure},
    notice::ReadUndelivered,
    script::Here,
    session::LeftOut,
};
use rhai::{Dynamic, Map};
use std::sync::Arc;

/// Tells those who listen how the run ended, then waits for all messages, and warns once of those that didn't arrive.
///
/// The locks are released already, so nobody waits for it.
pub(super) fn tell_end(here: &Here, lane: &Arc<Lane>, exit: Exit, failures: &[Failure], table: &[HostRow]) {
    if !here.listeners.are_needed() {
        return;
    }
    let closing = Here { lane: lane.clone(), defers: Arc::default(), ..here.clone() };
    // The run has ended, so it can't end here.
    let _ = here.listeners.tell(&closing, end(here, lane, exit, failures, table));
    let undelivered = lane.perform(ReadUndelivered).unwrap_or_else(|failure| vec![failure.message]);
    undelivered.into_iter().for_each(|why| here.listeners.miss(why));
    let missed = here.listeners.missed();
    if !missed.is_empty() {
        lane.tell(What::Warned { host: None, text: format!("not everybody was told: {}", missed.join("; ")) });
    }
}

/// Returns what is told of the end.
fn end(here: &Here, lane: &Arc<Lane>, exit: Exit, failures: &[Failure], table: &[HostRow]) -> Map {
    let session = &here.session;
    let event = match exit {
        Exit::Done if session.run.undoes.is_some() => "abort",
        Exit::Done => "success",
        _ => "failure",
    };
    let outcome = Exit::ALL.iter().find(|(of, _)| *of == exit).map_or("", |(_, words)| words);
    let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let left_out = session.observed.all_left_out().into_iter().map(|left| match left {
        LeftOut::Why(why) => why,
        LeftOut::Failed(failure) => failure.to_string(),
    });
    let failure = failures.iter().map(ToString::to_string).chain(left_out).next().map(first);
    let took = lane.world().now(lane).saturating_sub(lane.world().begins()) / 1_000;
    let mut end = Map::new();
    end.insert("event".into(), event.into());
    end.insert("outcome".into(), outcome.into());
    end.insert("exit".into(), i64::from(exit.code()).into());
    end.insert("failure".into(), failure.filter(|_| exit != Exit::Done).map_or(Dynamic::UNIT, Dynamic::from));
    end.insert("took".into(), (took as i64).into());
    if session.observed.pinned().is_none()
        && let Some(served) = served(table)
    {
        end.insert("release".into(), served.into());
    }
    end
}

/// Returns the release that all hosts have, if it's the same.
fn served(table: &[HostRow]) -> Option<String> {
    let name = |row: &HostRow| row.new_name.clone().or_else(|| row.new.clone());
    let first = name(table.first()?)?;
    table.iter().all(|row| name(row).as_ref() == Some(&first)).then_some(first)
}
