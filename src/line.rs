//! The words of a command line, understood as calls of tasks before anything is connected to.
mod argument;
mod call;
mod error;
mod normal;
mod reader;
#[cfg(test)]
mod table;
pub mod usage;

use crate::{
    command::{Command, quoted},
    fabfile::task::Signature,
};
pub use call::TaskCall;
pub use error::{LineError, Misread, flag_for};
use std::fmt;

/// A command line that was understood whole; it is displayed in its normal form, `prod:out deploy:stable`.
#[derive(Clone, Debug, Eq)]
pub struct CommandLine {
    pub calls: Vec<TaskCall>,
    /// What is run on the targets after the calls: a shell line if it was one word.
    pub command: Option<Command>,
    /// Arguments that are like a task, in case they are refused.
    pub misread: Vec<Misread>,
}

/// Two lines are the same if they mean the same, however they were typed.
impl PartialEq for CommandLine {
    fn eq(&self, other: &Self) -> bool {
        (&self.calls, &self.command) == (&other.calls, &other.command)
    }
}

/// Understands the words of a command line, flags taken out, and those behind its `--`.
///
/// Nothing but the table of tasks is looked at. The first thing that cannot be understood is the error.
pub fn parse(words: &[String], command: Option<&[String]>, tasks: &[Signature]) -> Result<CommandLine, LineError> {
    let (calls, misread) = reader::calls(words, tasks)?;
    let line = CommandLine { calls, command: command.map(ad_hoc).transpose()?, misread };
    if line.calls.is_empty() && line.command.is_none() {
        return Err(LineError::NothingToDo);
    }
    line.in_order()
}

/// A command for the targets: one word is a shell line, several are a program and its arguments.
fn ad_hoc(words: &[String]) -> Result<Command, LineError> {
    match words {
        [] => Err(LineError::NoCommand),
        [first, ..] if first.trim().is_empty() => Err(LineError::NoCommand),
        [line] => Ok(Command::line(line, Vec::new())?),
        words => Ok(Command::of(words.to_vec())?),
    }
}

impl CommandLine {
    /// The words that name hosts; none where the default task does.
    pub fn naming(&self) -> String {
        let naming: Vec<String> = self.calls.iter().filter(|call| call.names_hosts).map(TaskCall::to_string).collect();
        naming.join(" ")
    }

    /// Refuses a task that names hosts for the first time behind one that does not.
    fn in_order(self) -> Result<CommandLine, LineError> {
        match self.calls.iter().position(|call| call.names_hosts) {
            None | Some(0) => Ok(self),
            Some(first) => {
                let (naming, before) = (self.calls[first].task.clone(), self.calls[0].task.clone());
                let mut instead = self;
                instead.calls[..=first].rotate_right(1);
                Err(LineError::Order { naming, before, instead: instead.to_string() })
            }
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.calls.iter().map(TaskCall::to_string).collect();
        match &self.command {
            None => {}
            Some(Command::Line { line, .. }) => parts.extend(["--".to_owned(), quoted(line)]),
            Some(words @ Command::Words(_)) => parts.extend(["--".to_owned(), words.for_sh()]),
        }
        f.write_str(&parts.join(" "))
    }
}
