//! The programs that a host runs, in POSIX sh; their arguments are words.
use super::error::ReleaseError;
use crate::{
    command::{Command, lean},
    control::shown,
};

const PRELUDE: &str = include_str!("host/prelude.sh");
/// How a program that runs as root enters folders that other users can change.
const WALK: &str = include_str!("../remote/walk.sh");
const TREE: &str = include_str!("host/tree.sh");
const STAGE: &str = concat!(include_str!("host/tree.sh"), include_str!("host/earlier.sh"));

/// A program that a host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Setup,
    Preflight,
    Stage,
    List,
    Activate,
    Share,
    Prune,
    Verify,
}

impl Program {
    /// Returns the name at the end of the program's answer.
    pub(super) fn name(self) -> &'static str {
        match self {
            Program::Setup => "setup",
            Program::Preflight => "preflight",
            Program::Stage => "stage",
            Program::List => "list",
            Program::Activate => "activate",
            Program::Share => "share",
            Program::Prune => "prune",
            Program::Verify => "verify",
        }
    }

    /// Returns the whole text, for `sh -c`.
    pub(super) fn text(self) -> String {
        let (shared, own) = match self {
            Program::Setup => ("", include_str!("host/setup.sh")),
            Program::Preflight => ("", include_str!("host/preflight.sh")),
            Program::Stage => (STAGE, include_str!("host/stage.sh")),
            Program::List => ("", include_str!("host/list.sh")),
            Program::Activate => ("", include_str!("host/activate.sh")),
            Program::Share => ("", include_str!("host/share.sh")),
            Program::Prune => ("", include_str!("host/prune.sh")),
            Program::Verify => (TREE, include_str!("host/verify.sh")),
        };
        format!("program={}\n{PRELUDE}{WALK}{shared}{own}", self.name())
    }

    /// Makes the command that runs the program for the app at `path`.
    pub(super) fn command(self, path: &str, args: &[String]) -> Result<Command, ReleaseError> {
        let parts: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
        let good = parts.iter().all(|part| !matches!(*part, "" | "." | "..")) && !path.chars().any(char::is_control);
        if !good {
            return Err(ReleaseError::BadPath(shown(path)));
        }
        let begin = ["/bin/sh", "-c", &self.text(), self.name(), path].map(str::to_owned);
        Ok(Command::of(begin.into_iter().chain(args.iter().cloned()).collect())?)
    }
}

/// Returns a call's id, if it is valid.
pub(super) fn checked(id: &str) -> Result<String, ReleaseError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let good = !id.is_empty() && id.len() <= 100 && !id.starts_with(['.', '-']) && id.bytes().all(plain);
    if good { Ok(id.to_owned()) } else { Err(ReleaseError::BadId(shown(id))) }
}

/// Returns a program as it travels, and whether it may be compressed. Those before a release find out whether the host
/// has gzip.
pub(super) fn travelling(command: &Command) -> (Command, bool) {
    let all = [Program::Stage, Program::List, Program::Activate, Program::Share, Program::Prune, Program::Verify];
    match command {
        Command::Words(words) if words.get(2).is_some_and(|text| text.starts_with("program=")) => {
            let mut words = words.clone();
            words[2] = lean(&words[2]);
            let packs = all.iter().any(|program| program.name() == words[3]);
            (Command::Words(words), packs)
        }
        other => (other.clone(), false),
    }
}
