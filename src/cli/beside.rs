//! Which flags mean something beside which action: one that would mean nothing there is refused.
#[cfg(test)]
mod tests;

use clap::{ArgMatches, Command, parser::ValueSource};

/// A line of tasks, with or without a command after `--`.
const TASKS: &str = "tasks";
/// The command after `--`.
const COMMAND: &str = "a command after '--'";

/// What each flag is for, by clap's ids: tasks, a command, or the flags that are instead of tasks.
///
/// `--resume` takes few, because a run resumes as it was typed first.
const FOR: [(&str, &[&str]); 28] = [
    (WORDS, &[TASKS, "trust"]),
    ("set", &[TASKS, "trust"]),
    ("limit", &[TASKS, "abort"]),
    ("exclude", &[TASKS, "abort"]),
    ("parallel", &[TASKS, "abort"]),
    ("no_persist", &[TASKS, "abort"]),
    ("transport", &[TASKS, "abort", "demo"]),
    ("read", &[COMMAND]),
    ("yes", &[TASKS, "resume", "abort"]),
    ("no_fetch", &[TASKS]),
    ("force", &[TASKS]),
    ("unproven", &[TASKS, "abort"]),
    ("verify", &[TASKS]),
    ("wait", &[TASKS, "resume", "abort"]),
    ("pause", &[TASKS]),
    ("allow_outage", &[TASKS, "abort"]),
    ("without_balancer", &[TASKS]),
    ("without_gate", &[TASKS]),
    ("json", &[TASKS, "list", "history", "show", "resume", "abort", "demo"]),
    ("retry", &["resume"]),
    ("skip", &["resume"]),
    ("force_changed", &["resume"]),
    ("fleet", &["history"]),
    ("task", &["history"]),
    ("outcome", &["history"]),
    ("since", &["history"]),
    ("until", &["history"]),
    ("newest", &["history"]),
];

/// The words of a line, which are no flag.
const WORDS: &str = "words";

/// Flags that a shell alias can have: how the output looks, and which fabfile counts.
const ANYWHERE: [&str; 4] = ["color", "fabfile", "quiet", "verbose"];

/// Returns why rfab refuses a line in which a flag, a task or a command means nothing beside the rest.
///
/// `behind` is whether there is a command after `--`.
pub fn refused(definition: &Command, given: &ArgMatches, behind: bool) -> Option<String> {
    let typed = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let instead = instead(definition).into_iter().find(|id| typed(id));
    let place: &[&str] = match (instead, behind) {
        (Some(flag), _) => &[flag],
        (None, true) => &[TASKS, COMMAND],
        (None, false) => &[TASKS],
    };
    let idle = |(id, whose): &&(&str, &[&str])| typed(id) && !whose.iter().any(|one| place.contains(one));
    match (FOR.iter().find(idle), instead) {
        (Some((WORDS, _)), Some(flag)) => {
            let words = given.get_many::<String>(WORDS).into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
            Some(format!("the argument '--{flag}' can't be used with tasks; leave out '{words}'"))
        }
        (Some((id, _)), _) => {
            purpose(id).map(|purpose| format!("the argument '{}' works only with {purpose}", long(id)))
        }
        (None, Some(flag)) if behind => {
            Some(format!("the argument '--{flag}' can't be used with a command; leave out what comes after '--'"))
        }
        (None, _) => None,
    }
}

/// What a flag is for, in words; none if it is instead of tasks.
pub fn purpose(id: &str) -> Option<String> {
    if ANYWHERE.contains(&id) {
        return Some("every line".to_owned());
    }
    FOR.iter().find(|(known, _)| *known == id).map(|(_, whose)| named(whose))
}

/// Whether a flag is instead of tasks, and no task may stand beside it.
pub fn is_alone(definition: &Command, id: &str) -> bool {
    let with_words = FOR.iter().any(|(known, whose)| *known == WORDS && whose.contains(&id));
    instead(definition).contains(&id) && !with_words
}

/// The flags that are instead of tasks.
fn instead(definition: &Command) -> Vec<&str> {
    let group = definition.get_groups().find(|group| group.get_id() == "instead");
    group.into_iter().flat_map(|group| group.get_args()).map(|id| id.as_str()).collect()
}

fn long(id: &str) -> String {
    format!("--{}", id.replace('_', "-"))
}

fn named(whose: &[&str]) -> String {
    let name = |one: &&str| match *one {
        TASKS | COMMAND => (*one).to_owned(),
        flag => format!("'{}'", long(flag)),
    };
    let names: Vec<String> = whose.iter().map(name).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}
