//! What `--history` and `--show` say of the runs that this machine knows of.
use crate::{
    failure::Exit,
    report::{self, Palette},
    store::{Logs, Record, Summary},
};
use std::collections::HashMap;

/// The most runs that are listed.
const MOST: usize = 30;

/// A line for each of the newest runs.
pub fn text(runs: &[Summary]) -> String {
    if runs.is_empty() {
        return "no run is known on this machine\n".to_owned();
    }
    let cells = |s: &Summary| {
        let head = &s.head;
        [head.run.to_string(), head.since.clone(), head.who.clone(), ended(s), format!("rfab {}", head.line)]
    };
    let rows: Vec<[String; 5]> = runs.iter().take(MOST).map(cells).collect();
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = (0..4).map(|i| format!("{:w$}", row[i], w = widths[i])).collect();
        format!("{}  {}\n", cells.join("  "), row[4])
    };
    let mut text: String = rows.iter().map(line).collect();
    if runs.len() > MOST {
        text += &format!("and {} older ones\n", runs.len() - MOST);
    }
    text
}

/// Each run as one line of JSON.
pub fn json(runs: &[Summary]) -> String {
    let line = |s: &Summary| serde_json::json!({ "head": s.head, "tail": s.tail }).to_string() + "\n";
    runs.iter().map(line).collect()
}

/// How a run ended, in a word.
fn ended(summary: &Summary) -> String {
    match &summary.tail {
        None => "unfinished".to_owned(),
        Some(tail) if tail.exit == Exit::Done.code() => "done".to_owned(),
        Some(tail) => format!("exit {}", tail.exit),
    }
}

/// Everything that came through the door in a run, and its closing table.
pub fn show(records: &[Record], palette: Palette) -> String {
    let mut text = String::new();
    let (effects, mut rows) = (effects(records), &[][..]);
    for record in records {
        match record {
            Record::Begun(head) => {
                let on_behalf =
                    head.on_behalf_of.as_ref().map(|who| format!(" on behalf of {who}")).unwrap_or_default();
                text += &format!(
                    "run      {}\nline     rfab {}\nby       {}{on_behalf}, from {}, at {}\nfabfile  {} (sha256 {})\n\n",
                    head.run, head.line, head.who, head.from, head.since, head.fabfile, head.digest
                );
            }
            Record::Resumed(attempt) => {
                let on_behalf =
                    attempt.on_behalf_of.as_ref().map(|who| format!(" on behalf of {who}")).unwrap_or_default();
                text += &format!(
                    "\ngone on with by {}{on_behalf}, from {}, at {}\n\n",
                    attempt.who, attempt.from, attempt.since
                );
            }
            Record::Aborted { by } => text += &format!("\ntaken back by run {by}\n"),
            Record::Effect { .. } | Record::Fleet(_) | Record::LaneEnded { .. } | Record::Left { .. } => {}
            Record::Answered { lane, number, took, .. } => text += &line(&effects, lane, *number, *took, None),
            Record::Failed { lane, number, took, failure } => {
                text += &line(&effects, lane, *number, *took, Some(&failure.message));
            }
            Record::Ended(tail) => {
                rows = &tail.table;
                text += &format!("\nended with {} after {} ms\n", tail.exit, tail.took);
            }
        }
    }
    if !matches!(records.last(), Some(Record::Ended(_))) {
        text += "\nit has not come to its end\n";
    }
    if !rows.is_empty() {
        text += &format!("\n{}", report::table(rows, palette));
    }
    text
}

/// The files that have what hosts printed in a run.
pub fn logs(logs: &Logs, records: &[Record]) -> String {
    let Some(Record::Begun(head)) = records.first() else { return String::new() };
    let files = logs.of(&head.run).into_iter().enumerate();
    files.map(|(at, file)| format!("{}{}\n", if at == 0 { "\nlogs  " } else { "      " }, file.display())).collect()
}

/// What came to the door, by lane and number.
fn effects(records: &[Record]) -> Effects<'_> {
    let effect = |record| match record {
        &Record::Effect { ref lane, number, ref text, ref host, .. } => {
            Some(((&**lane, number), (&**text, host.as_deref().unwrap_or_default())))
        }
        _ => None,
    };
    records.iter().filter_map(effect).collect()
}

type Effects<'a> = HashMap<(&'a str, u32), (&'a str, &'a str)>;

/// One effect that came back: how long it took, where, and what it was.
fn line(effects: &Effects<'_>, lane: &str, number: u32, took: u64, failed: Option<&str>) -> String {
    let Some((what, host)) = effects.get(&(lane, number)) else { return String::new() };
    let failed = failed.map(|why| format!("  failed: {}", why.lines().next().unwrap_or_default())).unwrap_or_default();
    report::visible(&format!("{took:>8} ms  {host:<12}  {what}{failed}"), false) + "\n"
}
