//! Reports what other runs began on a fleet and didn't end.
use super::{Observed, Run};
use crate::{
    control::shown,
    effect::Lane,
    event::EventKind,
    ledger::{Book, LedgerLine, is_bad, of_host},
    port::Holder,
};
use std::sync::Arc;

/// Reports the runs of a fleet that aren't done, each once; not the run that this one resumes or aborts.
///
/// `holder` returns who has the fleet's lock, and is called only if there is such a run: the holder's is in progress.
pub fn tell(run: &Run, observed: &Observed, book: &Book, lane: &Arc<Lane>, holder: impl FnOnce() -> Option<Holder>) {
    let mine = |line: &LedgerLine| line.run == run.id || run.undoes.as_ref() == Some(&line.run);
    let mut unfinished = book.unfinished_runs();
    unfinished.retain(|line| !mine(line));
    if unfinished.is_empty() {
        return;
    }
    let holder = holder();
    for line in unfinished.into_iter().filter(|line| observed.first_told_of(&line.run)) {
        let last = book.lines.iter().rfind(|l| l.run == line.run && l.effect != "run");
        let text = match &holder {
            Some(holder) if *line.run == *holder.run => under_way(holder),
            Some(holder) if *holder.line == *format!("--abort {}", line.run) => {
                format!("{}'s run {} is being aborted: {}", line.who, line.run, under_way(holder))
            }
            _ => text(line, last),
        };
        lane.tell(EventKind::Warned { host: None, text });
    }
}

/// Describes a run that is in progress.
fn under_way(holder: &Holder) -> String {
    let Holder { who, from, run, line, since } = holder;
    format!(
        "{who}'s run {run} has been in progress on {from} since {since}: `rfab {line}`; `--wait` waits until it ends"
    )
}

/// Describes a run that isn't done: who began it, its last step, and what can be typed.
fn text(line: &LedgerLine, last: Option<&LedgerLine>) -> String {
    let LedgerLine { run, who, from, at, reason, .. } = line;
    let behalf = line.on_behalf_of.as_ref().map(|other| format!(" on behalf of {other}")).unwrap_or_default();
    let typed = reason.as_deref().unwrap_or_default();
    let stands = last.map(|last| format!("; its last step was {}, at {}", step(last), last.at)).unwrap_or_default();
    format!(
        "{who}'s run {run}{behalf} isn't done: `rfab {typed}`, started at {at}{stands}. \
         On {from}, `rfab --resume {run}` continues it, and `rfab --abort {run}` undoes it"
    )
}

/// Describes the step in a ledger line, and its host.
fn step(line: &LedgerLine) -> String {
    let name = line.reason.as_deref().filter(|_| line.effect == "mark").unwrap_or(&line.effect);
    let of = of_host(name);
    let what = match of {
        Some(_) if is_bad(name) => "a failed check",
        Some(_) => "`switch`",
        None => &format!("`{}`", shown(name)),
    };
    let on = of.or(line.host.as_deref()).map(|host| format!(" on {}", shown(host))).unwrap_or_default();
    format!("{what}{on}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{WITHDRAWN, bad, switch};

    #[test]
    fn a_step_is_told_with_its_host_and_what_a_script_does_once_by_its_whole_name() {
        let told = |effect: &str, reason: Option<&str>, host: Option<&str>| {
            let line = serde_json::json!({
                "v": 1, "run": "a", "seq": 0, "at": "2026-11-23T10:00:00Z", "who": "anna", "from": "mac",
                "effect": effect, "host": host, "phase": "ok", "reason": reason,
            });
            step(&serde_json::from_value(line).expect("a line"))
        };
        for (reason, wanted) in [
            (bad("web2"), "a failed check on web2"),
            (switch("web4"), "`switch` on web4"),
            (WITHDRAWN.to_owned(), "`rolled back`"),
            ("migrate".to_owned(), "`migrate`"),
            ("create the index".to_owned(), "`create the index`"),
            ("bad news".to_owned(), "`bad news`"),
            ("a\u{1b}b".to_owned(), "`a\\u{1b}b`"),
        ] {
            assert_eq!(told("mark", Some(&reason), None), wanted);
        }
        assert_eq!(told("drain", Some("bad on web2"), Some("web1")), "`drain` on web1");
        assert_eq!(told("cut off", None, Some("off")), "`cut off` on off");
        assert_eq!(told("release", Some("v3.0.1"), None), "`release`");
    }
}
