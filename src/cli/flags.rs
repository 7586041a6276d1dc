//! The flags: what the tool itself does.
#[cfg(test)]
mod tests;

use super::{
    allowed::{self, Allowed},
    beside, completing, habits,
    history_flags::HistoryFlags,
    instead::Instead,
    output::OutputFlags,
    request::{Action, Request},
    scope::Scope,
};
use crate::failure::Exit;
use clap::{
    CommandFactory, FromArgMatches, Parser,
    builder::Styles,
    error::{ContextKind, ErrorKind},
};
use std::{ffi::OsString, fmt};

const ABOUT: &str = "Deploys software to groups of servers behind a load balancer, from a script.

Every word is a task of the fabfile, or an argument of the task before it. Flags can be anywhere
before `--`. A command after `--` runs on the targets: one word is a shell line, several are a
program and its arguments.";

/// Every word is a task of the fabfile, or an argument of the task before it.
#[derive(Parser)]
#[command(
    name = "rfab",
    version,
    about = ABOUT,
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "rfab [FLAGS] TASK[:ARGUMENT,...] [ARGUMENT...] ... [-- COMMAND...]",
    term_width = 100,
    styles = Styles::plain()
)]
struct Flags {
    #[arg(value_name = "TASK", hide = true)]
    words: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    allowed: Allowed,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    instead: Instead,
    #[command(flatten)]
    history: HistoryFlags,
}

/// Flags that rfab doesn't understand; displayed as the whole text to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FlagError {
    text: String,
}

impl FlagError {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

/// Turns a process's arguments, the program's name first, into what they ask for.
///
/// `no_color` says whether `NO_COLOR` is set and isn't empty. If `--help` or `-h` comes before `--`, the answer is
/// help, even if the rest of the line is wrong.
pub fn read(args: impl IntoIterator<Item = OsString>, no_color: bool) -> Result<Request, FlagError> {
    let mut before: Vec<OsString> = allowed::joined(args);
    if let Some(action) = completing::asked(&before) {
        return Ok(request(action, Flags::try_parse_from(&before[..1]).map_err(told)?, no_color));
    }
    let command = before.iter().position(|arg| arg == "--").map(|at| {
        let behind = before.split_off(at);
        behind.into_iter().skip(1)
    });
    if before.iter().skip(1).any(|arg| arg == "--help" || arg == "-h") {
        // Other mistakes on the line mustn't keep the reader from the help.
        let flags = Flags::try_parse_from(&before).or_else(|_| Flags::try_parse_from(&before[..1])).map_err(told)?;
        return Ok(request(Action::Help { words: flags.words.clone() }, flags, no_color));
    }
    let given = Flags::command().try_get_matches_from(&before).map_err(told)?;
    let flags = Flags::from_arg_matches(&given).map_err(told)?;
    if flags.instead.help {
        return Ok(request(Action::Help { words: flags.words.clone() }, flags, no_color));
    }
    let command = command
        .map(|words| words.map(|word| word.into_string()).collect::<Result<Vec<String>, OsString>>())
        .transpose()
        .map_err(|word| conflict(format!("a word after '--' isn't UTF-8: {}", word.to_string_lossy())))?;
    if let Some(why) = beside::refused(&self::command(), &given, command.is_some()) {
        return Err(conflict(why));
    }
    let words = flags.words.clone();
    let action = flags.instead.action(&words, &flags.history).unwrap_or(Action::Run { words, command });
    Ok(request(action, flags, no_color))
}

/// Returns the text of `--help`.
pub fn help() -> String {
    let codes = Exit::ALL.iter().map(|(exit, text)| format!("{:>5}  {text}\n", exit.code())).collect::<String>();
    let help = Flags::command().after_help(format!("Exit codes:\n{codes}")).render_help();
    format!("{}\n", help.to_string().trim_end())
}

/// Every flag, as clap knows it; its groups have their members.
pub fn command() -> clap::Command {
    let mut command = Flags::command();
    command.build();
    command
}

/// Returns the text of `--version`. Only a release that was built from a repository knows its commit.
pub fn version() -> String {
    worded(option_env!("RFAB_COMMIT").zip(option_env!("RFAB_DATE")))
}

fn worded(built: Option<(&str, &str)>) -> String {
    let from = built.map(|(commit, date)| format!(" ({commit}, {date})")).unwrap_or_default();
    format!("{}{from}\n", Flags::command().render_version().trim_end())
}

fn request(action: Action, flags: Flags, no_color: bool) -> Request {
    let Flags { words: _, scope, allowed, output, instead: _, history: _ } = flags;
    Request {
        action,
        fabfile: scope.fabfile,
        set: scope.set,
        limit: scope.limit,
        exclude: scope.exclude,
        parallel: scope.parallel.into(),
        no_fetch: allowed.no_fetch,
        no_persist: scope.no_persist,
        transport: scope.transport,
        read: scope.read,
        allowed: allowed.into(),
        json: output.json,
        detail: output.detail(),
        color: output.color(no_color),
    }
}

/// Returns clap's text, without its tip to write a flag after `--`, where a command for the targets belongs.
fn told(mut error: clap::Error) -> FlagError {
    error.remove(ContextKind::Suggested);
    FlagError { text: habits::told(error).render().to_string() }
}

fn conflict(message: String) -> FlagError {
    told(Flags::command().error(ErrorKind::ArgumentConflict, message))
}
