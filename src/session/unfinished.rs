//! What others began on a fleet and did not end, told to whoever comes next.
use super::{Run, Tally};
use crate::{
    control::shown,
    effect::Lane,
    event::What,
    ledger::{Book, Line},
};
use std::sync::Arc;

/// Names the runs of a fleet that are not done, each once; what this run is about is not among them.
pub fn tell(run: &Run, tally: &Tally, book: &Book, lane: &Arc<Lane>) {
    let mine = |line: &Line| line.run == run.id || run.undoes.as_ref() == Some(&line.run);
    for line in book.unfinished_runs().into_iter().filter(|line| !mine(line)) {
        if tally.first_told_of(&line.run) {
            let last = book.lines.iter().rfind(|l| l.run == line.run && l.effect != "run");
            lane.tell(What::Warned { host: None, text: text(line, last) });
        }
    }
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
