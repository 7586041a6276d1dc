//! The flags that replace tasks.
use super::{
    completing::{self, Shell},
    history_flags::HistoryFlags,
    request::Action,
};
use crate::session::UnknownOutcome;
use clap::{Args, builder::NonEmptyStringValueParser};

#[derive(Args)]
#[command(next_help_heading = "Instead of tasks")]
pub struct Instead {
    /// List the tasks
    #[arg(long, group = "instead", conflicts_with = "words")]
    list: bool,
    /// Show what a script can call, the page of NAME, or those with that word
    #[arg(long, value_name = "NAME", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    docs: Option<Option<String>>,
    /// Trust the key of HOST, or of `all`, after showing it and asking
    #[arg(long, value_name = "HOST", group = "instead", value_parser = NonEmptyStringValueParser::new())]
    trust: Option<String>,
    /// List the runs of this machine, the newest first
    #[arg(long, group = "instead", conflicts_with = "words")]
    pub history: bool,
    /// Show what RUN did, by the beginning of its id
    #[arg(long, value_name = "RUN", group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    show: Option<String>,
    /// Resume RUN, or the run of this fabfile that isn't done; what it did isn't repeated
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    resume: Option<Option<String>>,
    /// With --resume: repeat a step if rfab can't tell whether it was done
    #[arg(long, requires = "resume", conflicts_with = "skip")]
    retry: bool,
    /// With --resume: skip a step if rfab can't tell whether it was done
    #[arg(long, requires = "resume")]
    skip: bool,
    /// With --resume: continue although the fabfile or a fleet was changed since
    #[arg(long, requires = "resume")]
    force_changed: bool,
    /// Abort RUN, or the run of this fabfile that isn't done: hosts return to their old releases
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", conflicts_with = "words", value_parser = NonEmptyStringValueParser::new())]
    abort: Option<Option<String>>,
    /// Write a fabfile and fleet files for this folder, from what is found in it; nothing is overwritten
    #[arg(long, group = "instead", conflicts_with = "words")]
    init: bool,
    /// Print what SHELL (bash, zsh or fish) needs to complete lines of rfab
    #[arg(long, value_name = "SHELL", group = "instead", conflicts_with = "words", value_parser = completing::parser(), hide_possible_values = true)]
    completions: Option<Shell>,
    /// Show the five commands of a release on a fleet inside this process
    #[arg(long, group = "instead", conflicts_with = "words")]
    demo: bool,
    /// Show the version, and the commit that it is built from
    #[arg(long, group = "instead", conflicts_with = "words")]
    version: bool,
    /// Show this help, and that of the tasks in the line; do nothing else
    #[arg(short, long)]
    pub help: bool,
}

impl Instead {
    /// Returns what the line asks for instead of tasks, if it does.
    pub fn action(&self, words: &[String], listed: &HistoryFlags) -> Option<Action> {
        let Instead {
            list,
            docs,
            trust,
            history,
            show,
            resume,
            abort,
            retry,
            skip,
            force_changed,
            init,
            completions,
            demo,
            version,
            help: _,
        } = self;
        let doubt = match (retry, skip) {
            (true, _) => UnknownOutcome::Retry,
            (_, true) => UnknownOutcome::Skip,
            _ => UnknownOutcome::Ask,
        };
        Some(match (list, docs, trust, (history, show, resume, abort), (init, completions, demo), version) {
            (false, None, None, (false, None, None, None), (false, None, false), false) => return None,
            (true, ..) => Action::List,
            (_, Some(name), ..) => Action::Docs { name: name.clone() },
            (_, _, Some(host), ..) => Action::Trust { host: host.clone(), words: words.to_vec() },
            (.., (true, ..), _, _) => {
                let (filter, most) = listed.chosen();
                Action::History { filter, most }
            }
            (.., (_, Some(run), ..), _, _) => Action::Show { run: run.clone() },
            (.., (_, _, Some(run), _), _, _) => {
                Action::Resume { run: run.clone(), doubt, force_changed: *force_changed }
            }
            (.., (.., Some(run)), _, _) => Action::Abort { run: run.clone() },
            (.., (true, ..), _) => Action::Init,
            (.., (_, Some(shell), _), _) => Action::Completions { shell: *shell },
            (.., (.., true), _) => Action::Demo,
            (.., true) => Action::Version,
        })
    }
}
