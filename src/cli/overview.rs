//! What can be typed here, for a line without words.
use super::{completing::stems, listing};
use crate::fabfile::Project;
use std::path::Path;

/// Returns the overview with a fabfile: its tasks, its fleets, and lines to begin with.
pub(super) fn text(project: &Project) -> String {
    let tasks = &project.tasks;
    let mut text = listing::text(tasks);
    let fleets = stems(&project.script.folder);
    if !fleets.is_empty() {
        text += &format!("\nFleet files: {}\n", fleets.join(", "));
    }
    if let Some(default) = &project.script.default_targets {
        text += &format!("If no task names hosts: {default}\n");
    }
    let naming: Vec<&str> = tasks
        .iter()
        .filter(|task| task.names_hosts && task.counts().contains(&0))
        .map(|task| task.name.as_str())
        .collect();
    let acts = |name: &str, count: usize| {
        tasks.iter().any(|t| t.name == name && !t.names_hosts && t.counts().contains(&count))
    };
    let (first, last) = (naming.first().copied().unwrap_or_default(), naming.last().copied().unwrap_or_default());
    let mut lines = Vec::new();
    if !naming.is_empty() {
        lines.push((format!("rfab {first}"), "the state of those hosts"));
        if acts("status", 0) {
            lines.push((format!("rfab {first} status"), "what they serve, and who deployed it"));
        }
        if acts("deploy", 1) {
            lines.push((format!("rfab {last} deploy:stable"), "the newest stable tag; or a tag, a branch, a commit"));
        }
        lines.push((format!("rfab {last} --read -- uptime"), "a command on hosts that changes nothing"));
    }
    lines.push(("rfab TASK --help".to_owned(), "what a task does"));
    lines.push(("rfab --help".to_owned(), "every flag; `--history` lists what was run"));
    format!("{text}\nFor example:\n{}", listed(&lines))
}

/// Returns the overview without a fabfile: how to get one.
pub(super) fn without(here: &Path) -> String {
    let lines = [
        ("rfab --init".to_owned(), "write one for this folder, from what is found in it"),
        ("rfab --demo".to_owned(), "see a release on a fleet inside this process; it touches nothing else"),
        ("rfab --help".to_owned(), "every flag"),
    ];
    let none = format!("There is no fabfile in {} or above it in the repository.", here.display());
    format!("{none}\n\nFor example:\n{}", listed(&lines))
}

fn listed(lines: &[(String, &str)]) -> String {
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    lines.iter().map(|(line, about)| format!("  {line:width$}   {about}\n")).collect()
}
