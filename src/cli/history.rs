//! What `--history` says of the runs that this machine knows of.
use super::when;
use crate::{
    report,
    store::{Ending, Entry, Listed},
};
use jiff::Zoned;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// A line for each run; `any` says whether all of them were asked for.
pub fn text(listed: &Listed, any: bool, now: &Zoned) -> String {
    if listed.runs.is_empty() {
        let none = if any { "no run is known on this machine\n" } else { "no such run is known on this machine\n" };
        return none.to_owned();
    }
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = listed.runs.iter().map(beginning).filter(|id| !seen.insert(*id)).collect();
    let id = |run: &Entry| match beginning(run) {
        id if twice.contains(id) => run.run.to_string(),
        id => id.to_owned(),
    };
    let title = ["run", "when", "outcome", "commit", "by", "fleet", "line"].map(str::to_owned);
    let rows: Vec<[String; 7]> =
        [title].into_iter().chain(listed.runs.iter().map(|run| row(run, id(run), now))).collect();
    let widths: Vec<usize> = (0..6).map(|i| rows.iter().map(|row| row[i].width()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            text += cell;
            text += &" ".repeat(width - cell.width() + 2);
        }
        text += &row[6];
        text.push('\n');
    }
    if listed.more {
        text += &format!("and older ones: --newest {} shows more\n", listed.runs.len() * 2);
    }
    text
}

/// An id's time, which is nearly always enough to name a run.
fn beginning(run: &Entry) -> &str {
    run.run.split('-').next().unwrap_or_default()
}

fn row(run: &Entry, id: String, now: &Zoned) -> [String; 7] {
    let by = run.on_behalf_of.as_ref().map_or(run.who.clone(), |whom| format!("{} for {whom}", run.who));
    let fleets = run.fleets.iter().map(|name| &**name).collect::<Vec<_>>().join(",");
    let commit = run.commit.as_deref().unwrap_or_default().chars().take(7).collect();
    let cells = [id, when::shown(&run.since, now), outcome(run), commit, by, fleets, run.line.clone()];
    cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { report::visible(&cell, false) })
}

/// How a run ended; a failure has its exit code beside it.
fn outcome(run: &Entry) -> String {
    match (run.outcome, run.exit) {
        (Ending::Failed, Some(exit)) => format!("failed {exit}"),
        (outcome, _) => outcome.to_string(),
    }
}

/// Each run as one line of JSON.
pub fn json(listed: &Listed) -> String {
    let line = |run: &Entry| serde_json::to_string(run).expect("an entry is plain data") + "\n";
    listed.runs.iter().map(line).collect()
}
