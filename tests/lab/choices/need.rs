//! What a row needs and not every machine has.
use crate::Debian;
use std::process::Command;

pub const BULLSEYE: Debian = Debian("bullseye");
pub const BOOKWORM: Debian = Debian("bookworm");
pub const TRIXIE: Debian = Debian("trixie");
pub const SID: Debian = Debian("sid");

#[derive(Clone, Copy)]
pub enum Need {
    /// A git that knows `--ref-format=reftable`: 2.45 or later.
    Reftable,
    /// The programs of a Debian release, which can be made.
    Debian(Debian),
}

impl Need {
    /// Returns what is missing; `None` if all is there.
    pub fn missing(self) -> Option<String> {
        match self {
            Need::Reftable => (!git_has_reftable()).then(|| "a git of 2.45 or later".to_owned()),
            Need::Debian(debian) => (!debian.is_made()).then(|| format!("the programs of {}", debian.0)),
        }
    }

    /// Makes it if possible; the error tells what is missing.
    pub fn make(self) -> Result<(), String> {
        match self {
            Need::Reftable => self.missing().map_or(Ok(()), Err),
            Need::Debian(debian) => debian.make(),
        }
    }
}

fn git_has_reftable() -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("git");
    command.args(["init", "-q", "--ref-format=reftable"]).current_dir(folder.path());
    command.output().expect("git").status.success()
}
