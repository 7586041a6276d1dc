//! The page of what was measured, `docs/PERFORMANCE.md`, and its plots.
use super::{
    cost::Cost,
    files, hosts,
    plot::{Curve, draw},
    results::{Part, Results, Row},
};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const BEGINNING: &str = "# Performance

This page compares how much time, network traffic and memory rfab and its alternatives need.

<!-- Made by `cargo bench --bench peers`; don't edit. -->

All tools do the same work on the same machine, which runs the client and all hosts. Each figure is the median of
several rounds in which the tools take turns. Compare figures only within one table: they depend on the machine, and on
what else it was doing. *Time* is how long a person waits. *Ratio* compares it with rfab's time in the same table: above
1, the tool takes longer than rfab. *Processor* is the processor time that the tool uses on your side. *Network* is the
traffic in both directions. *Memory* is that of the largest process. Each part runs on a new filesystem if one can be
mounted, because ext4 creates files more slowly where many others were deleted a short time before.

To repeat the measurements, run this as root on Debian:

    cargo bench --bench peers        # two hours; see benches/peers/main.rs for less
";

/// The headings of the parts.
const HEADINGS: [(&str, &str); 7] = [
    ("logins", "Run a command on many hosts"),
    ("sends", "Send a release"),
    ("day", "Release with the five commands"),
    ("far", "Release to distant hosts"),
    ("git", "Read a repository"),
    ("hosts", "Grow the number of hosts"),
    ("files", "Grow the number of files"),
];

/// Writes the page and its plots.
pub fn write(results: &Results) {
    let mut text = BEGINNING.to_owned();
    for (name, heading) in HEADINGS {
        let Some(parts) = results.0.get(name) else { continue };
        let _ = write!(text, "\n## {heading}\n");
        for part in parts.values() {
            let with = part.with();
            if !with.is_empty() {
                let _ = write!(text, "\n### {heading}: {with}\n");
            }
            text += &table(part);
        }
        if let Some(part) = parts.values().next() {
            text += &plots(name, part);
        }
    }
    fs::write(docs().join("PERFORMANCE.md"), text).expect("the page");
}

/// Returns the tables of a part, and how it was measured.
fn table(part: &Part) -> String {
    let mut text = String::new();
    for work in part.works() {
        let rows: Vec<&Row> = part.rows.iter().filter(|row| row.work == work).collect();
        let own = rows.iter().find(|row| row.tool.starts_with("rfab")).map(|row| row.cost.wall);
        let mut first = work.chars();
        let title: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
        let _ = write!(
            text,
            "\n{title}:\n\n| | time | ratio | processor | network | memory |\n|---|--:|--:|--:|--:|--:|\n"
        );
        for Row { tool, cost: Cost { wall, cpu, bytes, resident }, .. } in rows {
            let ratio = own.map(|own| format!("{:.2}", wall / own)).unwrap_or_default();
            let memory = if *resident > 0 { format!("{} MB", resident / 1000) } else { String::new() };
            let network = if *bytes > 0 { size(*bytes) } else { String::new() };
            let _ = writeln!(text, "| {tool} | {wall:.2} s | {ratio} | {cpu:.2} s | {network} | {memory} |");
        }
    }
    let (rounds, times) = (part.rounds, if part.rounds == 1 { "round" } else { "rounds" });
    let versions: Vec<String> = part.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut all = vec![
        format!("Measured {} with {} in {rounds} {times}, on {}.", part.date, part.rfab, part.machine),
        format!("The load of the machine was {:.1} before and {:.1} after.", part.load[0], part.load[1]),
        format!("Versions: {}.", versions.join(", ")),
    ];
    all.extend((!part.left_out.is_empty()).then(|| format!("Left out: {}.", part.left_out.join("; "))));
    all.extend(part.notes.iter().cloned());
    text.push('\n');
    text += &wrapped(&all.join(" "));
    text
}

/// Breaks a paragraph into lines of at most 120 characters.
fn wrapped(paragraph: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let needed = word.chars().count();
        if length > 0 {
            let breaks = length + 1 + needed > 120;
            text.push(if breaks { '\n' } else { ' ' });
            length = if breaks { 0 } else { length + 1 };
        }
        text += word;
        length += needed;
    }
    text + "\n"
}

fn size(bytes: u64) -> String {
    if bytes < 10_000_000 { format!("{:.0} kB", bytes as f64 / 1e3) } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}

/// A kind of work: what it's called, and the names of its rows with their place on the axis.
type Kind = (String, Vec<(f64, String)>);

/// Draws the plots of a part, and returns the lines that show them.
fn plots(name: &str, part: &Part) -> String {
    let (across, works): (&str, Vec<Kind>) = match name {
        "hosts" => {
            let of = |kind: &str| hosts::COUNTS.map(|n| (n as f64, format!("{kind} `true`, {n} names of one sshd")));
            ("hosts", vec![("cold".to_owned(), of("cold").to_vec()), ("warm".to_owned(), of("warm").to_vec())])
        }
        "files" => {
            let of = |kind: &str| files::COUNTS.map(|n| (n as f64, format!("{kind}, {n} files of 20 kB, 1 host")));
            let kinds = ["first send", "hotfix"];
            ("files", kinds.map(|kind| (kind.to_owned(), of(kind).to_vec())).to_vec())
        }
        _ => return String::new(),
    };
    let mut text = String::new();
    for (what, up, of) in [
        ("time", "seconds", (|cost| cost.wall) as fn(&Cost) -> f64),
        ("memory", "MB, largest process", |cost| cost.resident as f64 / 1000.0),
    ] {
        let mut curves = Vec::new();
        for (kind, works) in &works {
            let mut tools: Vec<&str> = Vec::new();
            for row in part.rows.iter().filter(|row| works.iter().any(|(_, work)| *work == row.work)) {
                if !tools.contains(&row.tool.as_str()) {
                    tools.push(&row.tool);
                }
            }
            curves.extend(tools.into_iter().map(|tool| Curve {
                name: format!("{tool}, {kind}"),
                points: works.iter().filter_map(|(n, work)| Some((*n, of(&part.cost(work, tool)?)))).collect(),
            }));
        }
        if curves.is_empty() {
            continue;
        }
        let file = format!("{name}-{what}.svg");
        let title = format!("{}{} by the number of {across}", what[..1].to_uppercase(), &what[1..]);
        fs::create_dir_all(docs().join("plots")).expect("a folder");
        fs::write(docs().join("plots").join(&file), draw(&title, across, up, &curves)).expect("a plot");
        let _ = write!(text, "\n![{title}](plots/{file})\n");
    }
    text
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}
