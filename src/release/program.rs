//! The programs that a host runs, in POSIX sh; their arguments are words.
use super::error::ReleaseError;
use crate::{command::Command, control::shown};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

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

/// Moves a program's text to the beginning of what it reads, compressed: as a word, it would be several times as long.
///
/// A text that doesn't arrive whole isn't run. `dd` reads no byte too much, because it reads each alone.
pub(super) fn leading(command: &Command) -> (Command, Vec<u8>) {
    let Command::Words(words) = command else { return (command.clone(), Vec::new()) };
    let lines = words[2].lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("# "));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let lead = lines.flat_map(|line| [line, "\n"]).try_for_each(|text| gzip.write_all(text.as_bytes()));
    let lead = lead.and_then(|()| gzip.finish()).expect("memory takes it");
    let begin = format!("p=$(dd bs=1 count={} 2>/dev/null | gzip -dc) && eval \"$p\"", lead.len());
    let mut words = words.clone();
    words[2] = begin;
    (Command::Words(words), lead)
}

/// Returns a call's id, if it is valid.
pub(super) fn checked(id: &str) -> Result<String, ReleaseError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let good = !id.is_empty() && id.len() <= 100 && !id.starts_with(['.', '-']) && id.bytes().all(plain);
    if good { Ok(id.to_owned()) } else { Err(ReleaseError::BadId(shown(id))) }
}
