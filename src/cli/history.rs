//! What `--history` prints of the runs that this machine knows.
use super::when;
use crate::{
    report,
    store::{Ending, RunEntry, RunPage},
};
use jiff::Zoned;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// Returns a line for each run; `any` says whether the filter matches every run.
pub fn text(listed: &RunPage, any: bool, now: &Zoned) -> String {
    if listed.runs.is_empty() {
        let none = if any { "there are no runs on this machine\n" } else { "no run on this machine matches\n" };
        return none.to_owned();
    }
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = listed.runs.iter().map(beginning).filter(|id| !seen.insert(*id)).collect();
    let id = |run: &RunEntry| match beginning(run) {
        id if twice.contains(id) => run.run.to_string(),
        id => id.to_owned(),
    };
    let title = ["run", "when", "outcome", "release", "by", "fleet", "line"].map(str::to_owned);
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
        text += &format!("there are older runs: --newest {} shows more\n", listed.runs.len() * 2);
    }
    text
}

/// Returns the time in an id, which is nearly always enough to name the run.
fn beginning(run: &RunEntry) -> &str {
    run.run.split('-').next().unwrap_or_default()
}

fn row(run: &RunEntry, id: String, now: &Zoned) -> [String; 7] {
    let by = run.on_behalf_of.as_ref().map_or(run.who.clone(), |whom| format!("{} for {whom}", run.who));
    let fleets = run.fleets.iter().map(|name| &**name).collect::<Vec<_>>().join(",");
    let cells = [id, when::shown(&run.since, now), outcome(run), release(run), by, fleets, run.line.clone()];
    cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { report::visible(&cell, false) })
}

/// Returns what was deployed: its name with the commit's first digits, or only those.
fn release(run: &RunEntry) -> String {
    let commit: String = run.commit.as_deref().unwrap_or_default().chars().take(7).collect();
    run.name.as_ref().map_or(commit.clone(), |name| format!("{name} ({commit})"))
}

/// Returns how a run ended; a failure has its exit code.
pub fn outcome(run: &RunEntry) -> String {
    match (run.outcome, run.exit) {
        (Ending::Failed, Some(exit)) => format!("failed {exit}"),
        (outcome, _) => outcome.to_string(),
    }
}

/// Returns each run as one line of JSON.
pub fn json(listed: &RunPage) -> String {
    let line = |run: &RunEntry| serde_json::to_string(run).expect("an entry is plain data") + "\n";
    listed.runs.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, since: &str, line: &str) -> RunEntry {
        let json = serde_json::json!({
            "v": 1, "run": id, "since": since, "who": "alice", "on_behalf_of": null, "from": "laptop", "line": line,
            "flags": [], "fabfile": "/f", "digest": "d", "tasks": [], "fleets": ["prod"], "hosts": [],
            "commit": "31422108d2df0000000000000000000000000000", "outcome": "done", "exit": 0, "took": 9,
        });
        serde_json::from_value(json).unwrap()
    }

    fn now() -> Zoned {
        "2026-11-25T00:10:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn a_list_is_this_text_and_fits_on_a_terminal() {
        let failed = |exit| (Ending::Failed, Some(exit));
        let with = |run: RunEntry, (outcome, exit)| RunEntry { outcome, exit, ..run };
        let runs = vec![
            with(run("019ab5a1f20-0a1b2c", "2026-11-24T23:05:00Z", "prod release:stable"), (Ending::Running, None)),
            RunEntry {
                name: Some("v3.0.1".into()),
                ..with(run("019ab5a1f1f-0a1b2c", "2026-11-24T22:05:00Z", "prod proxy.flip"), failed(6))
            },
            with(run("019ab5a1f1f-0a1b2d", "2026-03-02T22:05:00Z", "prod proxy.flip"), (Ending::LeftOut, Some(8))),
            RunEntry {
                who: "ci\x1b[2J".into(),
                on_behalf_of: Some("bo".into()),
                fleets: ["prod", "shop"].map(Into::into).into(),
                commit: None,
                ..run("0188b5a1f20-0a1b2c", "2025-12-31T23:30:00Z", "-- uptime")
            },
            RunEntry { fleets: BTreeSet::new(), ..run("0178b5a1f20-0a1b2c", "2025-06-01T10:00:00Z", "prod") },
        ];
        assert_eq!(
            text(&RunPage { runs, more: true }, true, &now()),
            "\
run                 when          outcome   release           by             fleet      line
019ab5a1f20         25 Nov 00:05  running   3142210           alice          prod       prod release:stable
019ab5a1f1f-0a1b2c  24 Nov 23:05  failed 6  v3.0.1 (3142210)  alice          prod       prod proxy.flip
019ab5a1f1f-0a1b2d   2 Mar 23:05  left-out  3142210           alice          prod       prod proxy.flip
0188b5a1f20          1 Jan 00:30  done      -                 ci␛[2J for bo  prod,shop  -- uptime
0178b5a1f20          1 Jun  2025  done      3142210           alice          -          prod
there are older runs: --newest 10 shows more
"
        );
        let usual = vec![run("019ab5a1f20-0a1b2c", "2026-11-24T23:05:00Z", "prod release:stable")];
        let usual = text(&RunPage { runs: usual, more: false }, true, &now());
        assert!(usual.lines().all(|line| line.len() <= 80), "{usual}");
    }

    #[test]
    fn a_list_of_nothing_says_so() {
        let none = RunPage { runs: vec![], more: false };
        assert_eq!(text(&none, true, &now()), "there are no runs on this machine\n");
        assert_eq!(text(&none, false, &now()), "no run on this machine matches\n");
        assert_eq!(json(&none), "");
    }

    #[test]
    fn a_run_is_this_json() {
        let listed = RunPage { runs: vec![run("a-b", "2026-11-24T23:05:00Z", "prod")], more: true };
        assert_eq!(
            json(&listed),
            concat!(
                r#"{"v":1,"run":"a-b","since":"2026-11-24T23:05:00Z","who":"alice","on_behalf_of":null,"from":"laptop","#,
                r#""line":"prod","flags":[],"fabfile":"/f","digest":"d","tasks":[],"fleets":["prod"],"hosts":[],"#,
                r#""commit":"31422108d2df0000000000000000000000000000","outcome":"done","exit":0,"took":9,"changed":null}"#,
                "\n"
            )
        );
    }
}
