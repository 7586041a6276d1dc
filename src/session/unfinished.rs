//! What others began on a fleet and did not end, told to whoever comes next.
use super::{Run, Tally};
use crate::{
    control::shown,
    effect::Lane,
    event::What,
    ledger::{Book, Line},
    world::real::Holder,
};
use std::sync::Arc;

/// Names the runs of a fleet that are not done, each once; what this run is about is not among them.
///
/// `holder` says who has the fleet's lock at this moment, and is asked if there is such a run: that one is under way.
pub fn tell(run: &Run, tally: &Tally, book: &Book, lane: &Arc<Lane>, holder: impl FnOnce() -> Option<Holder>) {
    let mine = |line: &Line| line.run == run.id || run.undoes.as_ref() == Some(&line.run);
    let mut unfinished = book.unfinished_runs();
    unfinished.retain(|line| !mine(line));
    if unfinished.is_empty() {
        return;
    }
    let holder = holder();
    for line in unfinished.into_iter().filter(|line| tally.first_told_of(&line.run)) {
        let last = book.lines.iter().rfind(|l| l.run == line.run && l.effect != "run");
        let text = match &holder {
            Some(holder) if *line.run == *holder.run => under_way(holder),
            Some(holder) if *holder.line == *format!("--abort {}", line.run) => {
                format!("run {} of {} is being taken back: {}", line.run, line.who, under_way(holder))
            }
            _ => text(line, last),
        };
        lane.tell(What::Warned { host: None, text });
    }
}

/// A run that somebody carries out at this moment.
fn under_way(holder: &Holder) -> String {
    let Holder { who, from, run, line, since } = holder;
    format!(
        "run {run} of {who} is under way on {from} since {since}: `rfab {line}`; with `--wait` you wait for its end"
    )
}

/// Whose run is not done, where it stands, and what can be typed.
fn text(line: &Line, last: Option<&Line>) -> String {
    let Line { run, who, from, at, reason, .. } = line;
    let behalf = line.on_behalf_of.as_ref().map(|other| format!(" on behalf of {other}")).unwrap_or_default();
    let typed = reason.as_deref().unwrap_or_default();
    let stands = match last {
        Some(last) => {
            let mark = last.reason.as_deref().filter(|_| last.effect == "mark").unwrap_or(&last.effect);
            let mark = &*shown(mark);
            let (what, host) = mark.split_once(' ').unwrap_or((mark, last.host.as_deref().unwrap_or_default()));
            let what = match what {
                "bad" => "a failed check".to_owned(),
                what => format!("`{what}`"),
            };
            let on = if host.is_empty() { String::new() } else { format!(" on {host}") };
            format!("; its last step was {what}{on}, at {}", last.at)
        }
        None => String::new(),
    };
    format!(
        "run {run} of {who}{behalf} is not done: `rfab {typed}`, begun at {at}{stands}. \
         On {from}, `rfab --resume {run}` continues it, and `rfab --abort {run}` undoes it"
    )
}
