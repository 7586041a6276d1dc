//! The closing table as Markdown.
use crate::{
    event::{EventKind, HostRow},
    failure::Exit,
    report::{
        filter::visible,
        table::{outcome, release, standing, summary},
    },
};
use std::{fs::OpenOptions, io, io::Write, path::Path};

/// Appends a text to the file.
pub(super) fn append(file: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
}

/// Returns the end of a run as Markdown, under the run's line.
pub(super) fn markdown(line: &str, what: &EventKind) -> String {
    let EventKind::RunFinished { exit, table, failures, next, .. } = what else { return String::new() };
    let mut text = format!("### {}\n\n{}\n", escaped(line), ended(*exit));
    if !table.is_empty() {
        text += "\n| host | old | new | balancer | result | |\n|---|---|---|---|---|---|\n";
        text.extend(table.iter().map(row));
        text += &format!("\n{}\n", summary(table));
    }
    for failure in failures {
        text += &format!("\n- {}", escaped(failure.to_string().lines().next().unwrap_or_default()));
    }
    text += if failures.is_empty() { "" } else { "\n" };
    for next in next {
        text += &format!("\nnext: {}\n", escaped(&format!("rfab {next}")));
    }
    text + "\n"
}

fn ended(exit: Exit) -> String {
    let words = Exit::ALL.iter().find(|(known, _)| *known == exit).map_or("", |(_, words)| words);
    format!("{words} (exit code {})", exit.code())
}

fn row(row: &HostRow) -> String {
    let cell = |text: &Option<String>, name: &Option<String>| escaped(&release(text, name));
    let new = if row.new == row.old && row.new.is_some() { "same".to_owned() } else { cell(&row.new, &row.new_name) };
    let note = row.note.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let (balancer, result) = (standing(row.balancer), outcome(row.result));
    let (host, old, note) = (escaped(&row.host), cell(&row.old, &row.old_name), escaped(note));
    format!("| {host} | {old} | {new} | {balancer} | {result} | {note} |\n")
}

/// Escapes a text, so that Markdown and HTML show it unchanged.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for c in visible(text, false).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            // A name with `@` before it would be notified.
            '@' => shown.push_str("&#64;"),
            c if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | ':' | '/') => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown
}
