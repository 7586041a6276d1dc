//! The flags that replace tasks.
use super::{
    completing::{self, Shell},
    history_flags::HistoryFlags,
    request::Action,
};
use crate::session::OnUnknownOutcome;
use clap::{Args, builder::NonEmptyStringValueParser};

#[derive(Args)]
#[command(next_help_heading = "Instead of tasks")]
pub(super) struct Instead {
    /// List the tasks
    #[arg(long, group = "instead")]
    list: bool,
    /// List what a script can call; with NAME, show its page or search for it
    #[arg(long, value_name = "NAME", num_args = 0..=1, group = "instead", value_parser = NonEmptyStringValueParser::new())]
    docs: Option<Option<String>>,
    /// Show the key of HOST, or of `all`, and trust it if you confirm
    #[arg(long, value_name = "HOST", group = "instead", value_parser = NonEmptyStringValueParser::new())]
    trust: Option<String>,
    /// List the runs of this machine, newest first
    #[arg(long, group = "instead")]
    history: bool,
    /// Show what RUN did; RUN is the beginning of its id
    #[arg(long, value_name = "RUN", group = "instead", value_parser = NonEmptyStringValueParser::new())]
    show: Option<String>,
    /// Resume RUN, or the run of this fabfile that isn't done, without repeating what it did
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", value_parser = NonEmptyStringValueParser::new())]
    resume: Option<Option<String>>,
    /// With --resume: repeat a step if rfab can't tell whether it was done
    #[arg(long, conflicts_with = "skip")]
    retry: bool,
    /// With --resume: skip a step if rfab can't tell whether it was done
    #[arg(long)]
    skip: bool,
    /// With --resume: continue even if the fabfile or a fleet has changed
    #[arg(long)]
    force_changed: bool,
    /// Abort RUN, or the run of this fabfile that isn't done: hosts return to their old releases
    #[arg(long, value_name = "RUN", num_args = 0..=1, group = "instead", value_parser = NonEmptyStringValueParser::new())]
    abort: Option<Option<String>>,
    /// List the connections that stay open for later runs
    #[arg(long, group = "instead")]
    connections: bool,
    /// Close the connections that stay open for later runs
    #[arg(long, group = "instead")]
    disconnect: bool,
    /// Write a fabfile and fleet files from what rfab finds in this folder; overwrite nothing
    #[arg(long, group = "instead")]
    init: bool,
    /// Print the completion script for SHELL (bash, zsh or fish)
    #[arg(long, value_name = "SHELL", group = "instead", value_parser = completing::parser(), hide_possible_values = true)]
    completions: Option<Shell>,
    /// Show a release in five commands, on a fleet that runs inside rfab
    #[arg(long, group = "instead")]
    demo: bool,
    /// Show the version, and the commit that it was built from
    #[arg(long, group = "instead")]
    version: bool,
    /// Show this help, and the help of the tasks on the line; do nothing else
    #[arg(short, long)]
    pub help: bool,
}

impl Instead {
    /// What is asked for instead of tasks, if anything is; the group lets one of them stand.
    pub(super) fn action(&self, words: &[String], which: &HistoryFlags) -> Option<Action> {
        let doubt = match (self.retry, self.skip) {
            (true, _) => OnUnknownOutcome::Retry,
            (_, true) => OnUnknownOutcome::Skip,
            _ => OnUnknownOutcome::Ask,
        };
        let force_changed = self.force_changed;
        let asked = [
            self.list.then_some(Action::List),
            self.docs.clone().map(|name| Action::Docs { name }),
            self.trust.clone().map(|host| Action::Trust { host, words: words.to_vec() }),
            self.history.then(|| {
                let (filter, most) = which.chosen();
                Action::History { filter, most }
            }),
            self.show.clone().map(|run| Action::Show { run }),
            self.resume.clone().map(|run| Action::Resume { run, doubt, force_changed }),
            self.abort.clone().map(|run| Action::Abort { run }),
            self.connections.then_some(Action::Connections),
            self.disconnect.then_some(Action::Disconnect),
            self.init.then_some(Action::Init),
            self.completions.map(|shell| Action::Completions { shell }),
            self.demo.then_some(Action::Demo),
            self.version.then_some(Action::Version),
        ];
        asked.into_iter().flatten().next()
    }
}
