//! Errors of a command line, in words.
use super::usage;
use crate::{command, fabfile::task::Signature, failure::Exit, misspelled::question};
use std::fmt;

/// Why rfab can't understand a command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("no task is named")]
    NothingToDo,
    #[error("`{word}` isn't a task")]
    UnknownTask {
        word: String,
        /// Tasks with a similar name, nearest first.
        near: Vec<Signature>,
        misread: Vec<Misread>,
        /// The task before the word, which the word may be an argument of.
        before: Option<Box<Signature>>,
        /// The word joined to the task before it.
        instead: Option<String>,
    },
    #[error("`{word}` is both `{}` and `{}`", functions[0], functions[1])]
    TwoTasks { word: String, functions: [String; 2] },
    #[error("`{word}` is a task, and `{task}` needs an argument in its place")]
    Ambiguous { task: String, word: String, as_argument: String, as_task: String },
    #[error("`{}` takes {}, but {}", task.name, takes(&task.counts()), given_text(*given))]
    WrongCount {
        task: Box<Signature>,
        given: usize,
        /// A name that went to `options`, and the parameter that it resembles.
        misspelt: Option<(String, String)>,
        misread: Vec<Misread>,
    },
    #[error("`{}` has no parameter `{name}`", task.name)]
    UnknownName { task: Box<Signature>, name: String, value: String, near: Option<String> },
    #[error("`{name}` is passed to `{}` twice", task.name)]
    GivenTwice { task: Box<Signature>, name: String },
    #[error("no overload of `{}` accepts {}", task.name, listed(names))]
    NoOverload { task: Box<Signature>, names: Vec<String> },
    #[error("`={value}` after `{task}:` has no name")]
    NoName { task: String, value: String },
    #[error("`{naming}` names hosts, but comes after `{before}`, which doesn't")]
    Order { naming: String, before: String, instead: String },
    #[error("no command follows `--`")]
    NoCommand,
    #[error(transparent)]
    Command(#[from] command::CommandError),
}

/// A word that was taken as an argument, but resembles a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    pub word: String,
    /// The parameter that it was taken as.
    pub parameter: String,
    /// The task with that parameter.
    pub task: String,
    /// The task that it resembles.
    pub near: Signature,
}

impl LineError {
    /// Returns the exit code. A name that two functions share is an error in the fabfile.
    pub fn exit(&self) -> Exit {
        match self {
            LineError::TwoTasks { .. } => Exit::Fabfile,
            _ => Exit::Usage,
        }
    }

    /// Returns what to type instead, or what can be typed, in one or more lines.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            LineError::NothingToDo => vec![list_them()],
            LineError::UnknownTask { word, near, misread, before, instead } => {
                let mut help: Vec<String> = misread.iter().map(Misread::help).collect();
                help.extend(did_you_mean(near));
                help.extend(instead.as_ref().map(|instead| format!("write `{instead}`")));
                if near.is_empty() && instead.is_none() {
                    help.extend(flag_for(word));
                }
                if help.is_empty() || instead.is_some() {
                    help.extend(before.as_ref().map(|task| surplus(task)));
                }
                if help.is_empty() {
                    help.push(list_them());
                }
                help
            }
            LineError::TwoTasks { .. } => vec!["rename one of the two functions".to_owned()],
            LineError::Ambiguous { word, as_argument, as_task, .. } => {
                vec![format!("write `{as_argument}` for the argument, or `{as_task}` for the task `{word}`")]
            }
            LineError::WrongCount { task, misspelt, misread, .. } => {
                let mut help: Vec<String> = misread.iter().map(Misread::help).collect();
                help.extend(misspelt.as_ref().map(|(typed, near)| format!("did you mean `{near}` by `{typed}`?")));
                help.push(written(task));
                help
            }
            LineError::UnknownName { task, name, value, near } => {
                let meant = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write `{name}\\={value}` if the `=` is text"),
                };
                vec![meant, written(task)]
            }
            LineError::GivenTwice { task, .. } | LineError::NoOverload { task, .. } => vec![written(task)],
            LineError::NoName { value, .. } => vec![format!("write `\\={value}` if the `=` is text")],
            LineError::Order { instead, .. } => vec![format!("write `rfab {instead}`")],
            LineError::NoCommand => vec!["write it as in `rfab prod -- uptime`".to_owned()],
            LineError::Command(_) => return None,
        };
        Some(help.join("\n"))
    }
}

impl miette::Diagnostic for LineError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(LineError::help(self)?))
    }
}

impl Misread {
    /// Returns what the word was taken as, and the task that the user may have meant.
    pub fn help(&self) -> String {
        let Misread { word, parameter, task, near } = self;
        let (name, card) = (&near.name, usage::card(near));
        format!("`{word}` was taken as `{parameter}` of `{task}`: did you mean `{name}`?\n{card}")
    }
}

fn list_them() -> String {
    "`rfab --list` shows the tasks".to_owned()
}

fn written(task: &Signature) -> String {
    format!("usage:\n{}", usage::card(task))
}

fn surplus(task: &Signature) -> String {
    format!("`{}` takes no more arguments\n{}", task.name, usage::card(task))
}

/// Returns the flag that does what a word of another tool asks for.
pub fn flag_for(word: &str) -> Option<String> {
    let flag = match word {
        "list" | "tasks" => "--list",
        "help" => "--help",
        "docs" => "--docs",
        "version" => "--version",
        "history" | "runs" => "--history",
        "resume" => "--resume",
        "abort" => "--abort",
        "init" => "--init",
        "show" => "--show RUN",
        "trust" => "--trust all",
        "demo" => "--demo",
        "completions" | "completion" => "--completions bash",
        _ => return None,
    };
    Some(format!("rfab's own commands are flags: `rfab {flag}`"))
}

fn did_you_mean(near: &[Signature]) -> Option<String> {
    let question = question(&near.iter().map(|task| &*task.name).collect::<Vec<_>>())?;
    let cards = near.iter().map(usage::card).collect::<Vec<_>>().join("\n");
    Some(format!("{question}\n{cards}"))
}

fn takes(counts: &[usize]) -> String {
    match counts {
        [] | [0] => "no arguments".to_owned(),
        [1] => "1 argument".to_owned(),
        counts => {
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            format!("{} arguments", counts.join(" or "))
        }
    }
}

fn given_text(given: usize) -> String {
    match given {
        0 => "none is given".to_owned(),
        1 => "1 is given".to_owned(),
        more => format!("{more} are given"),
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}
