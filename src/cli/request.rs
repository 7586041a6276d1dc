//! What a command line asks for, as plain data.
use super::completing::Shell;
use crate::{
    command::quoted,
    fleet::TransportKind,
    session::{Allowances, ConsentFlag, OnUnknownOutcome},
    store::Filter,
};
use std::path::PathBuf;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub action: Action,
    /// The fabfile; if absent, the nearest one from this folder upward.
    pub fabfile: Option<PathBuf>,
    /// Keys of the fleet file with their values for this run, as typed; the last value of a key counts.
    pub set: Vec<(String, String)>,
    /// The selection that limits the targets.
    pub limit: Option<String>,
    /// The selections that are excluded from the targets.
    pub exclude: Vec<String>,
    /// The most hosts to work on in parallel; at least 1.
    pub parallel: usize,
    pub allowed: Allowances,
    /// Whether to resolve references without fetching first.
    pub no_fetch: bool,
    /// Whether no connection stays open after the run.
    pub no_persist: bool,
    /// What reaches the hosts, if not what their fleet names.
    pub transport: Option<TransportKind>,
    /// Whether the command after `--` only reads; always false without such a command.
    pub read: bool,
    /// Whether to write events or a list as JSON.
    pub json: bool,
    pub detail: Detail,
    pub color: Color,
}

impl Request {
    /// The flags that belong to the line when it is typed again; each with its value, as a shell reads them.
    pub fn flags(&self) -> Vec<String> {
        let shown = |words: Vec<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        self.repeated().into_iter().map(shown).collect()
    }

    /// The same as a process's arguments, and what else there is to carry the request out as it was typed.
    pub fn argv(&self) -> Vec<String> {
        let mut argv = self.repeated().concat();
        argv.push(format!("--parallel={}", self.parallel));
        argv.extend(self.allowed.wait.then(|| "--wait".to_owned()));
        argv
    }

    /// The flags that say what is run and allowed, each with its value in one word or two.
    fn repeated(&self) -> Vec<Vec<String>> {
        let mut flags = Vec::new();
        let mut give = |flag: &str, value: &str| flags.push(vec![flag.to_owned(), value.to_owned()]);
        if let Some(file) = &self.fabfile {
            give("-f", &file.to_string_lossy());
        }
        self.set.iter().for_each(|(key, value)| give("--set", &format!("{key}={value}")));
        self.limit.iter().for_each(|limit| give("--limit", limit));
        self.exclude.iter().for_each(|exclude| give("--exclude", exclude));
        self.allowed.allow_outage.iter().for_each(|pool| give("--allow-outage", pool));
        self.allowed.without_balancer.iter().for_each(|pool| give("--without-balancer", pool));
        self.allowed.without_gate.iter().for_each(|reason| give("--without-gate", reason));
        match &self.allowed.yes {
            ConsentFlag::Unsaid => {}
            ConsentFlag::Unnamed => flags.push(vec!["--yes".to_owned()]),
            ConsentFlag::Fleet(name) => flags.push(vec![format!("--yes={name}")]),
        }
        flags.extend(self.transport.map(|kind| vec!["--transport".to_owned(), kind.word().to_owned()]));
        flags.extend(self.allowed.pause.map(|pause| vec![format!("--pause={pause}")]));
        let said = [
            (self.no_fetch, "--no-fetch"),
            (self.allowed.force, "--force"),
            (self.allowed.unproven, "--unproven"),
            (self.allowed.verify, "--verify"),
            (self.no_persist, "--no-persist"),
            (self.read, "--read"),
        ];
        flags.extend(said.into_iter().filter(|(said, _)| *said).map(|(_, flag)| vec![flag.to_owned()]));
        flags
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Show only the help, with that of the tasks among these words.
    Help { words: Vec<String> },
    /// Show the version.
    Version,
    /// List the tasks.
    List,
    /// Show what a script can call: all of it, or one name.
    Docs { name: Option<String> },
    /// List the newest runs of this machine, at most `most`.
    History { filter: Filter, most: usize },
    /// Show one run, by the beginning of its id.
    Show { run: String },
    /// Resume a run, or the run of this fabfile that isn't done.
    Resume { run: Option<String>, doubt: OnUnknownOutcome, force_changed: bool },
    /// Abort a run, or the run of this fabfile that isn't done.
    Abort { run: Option<String> },
    /// List the connections that stay open.
    Connections,
    /// Close them.
    Disconnect,
    /// Write a first fabfile and fleet file for this folder.
    Init,
    /// Print what a shell needs to complete lines.
    Completions { shell: Shell },
    /// Print what the last of these words may become, for a shell.
    Complete { shell: Shell, words: Vec<String> },
    /// Show the day of a hotfix on an embedded fleet.
    Demo,
    /// Trust a host's key after asking; the words name the host's fleet.
    Trust { host: String, words: Vec<String> },
    /// Carry out these words, then the command after `--`, if there is one.
    Run { words: Vec<String>, command: Option<Vec<String>> },
}

/// How much to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Quiet,
    Normal,
    Verbose,
}

/// Whether output has colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Only in a terminal.
    Auto,
    Always,
    Never,
}
