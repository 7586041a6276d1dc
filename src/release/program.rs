//! The commands that a host runs: POSIX sh programs, whose arguments are words.
use super::{error::Error, name::ReleaseName, tree::Packed};
use crate::{command::Command, model::Commit};

const PRELUDE: &str = include_str!("host/prelude.sh");
/// How a program of root's finds its way through folders of others.
const WALK: &str = include_str!("../remote/walk.sh");
const TREE: &str = include_str!("host/tree.sh");

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
    pub fn name(self) -> &'static str {
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

    /// The whole text, for `sh -c`.
    pub fn text(self) -> String {
        let (shared, own) = match self {
            Program::Setup => ("", include_str!("host/setup.sh")),
            Program::Preflight => ("", include_str!("host/preflight.sh")),
            Program::Stage => (TREE, include_str!("host/stage.sh")),
            Program::List => ("", include_str!("host/list.sh")),
            Program::Activate => ("", include_str!("host/activate.sh")),
            Program::Share => ("", include_str!("host/share.sh")),
            Program::Prune => ("", include_str!("host/prune.sh")),
            Program::Verify => (TREE, include_str!("host/verify.sh")),
        };
        format!("program={}\n{PRELUDE}{WALK}{shared}{own}", self.name())
    }

    fn command(self, path: &str, args: &[String]) -> Result<Command, Error> {
        let parts: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
        let good = parts.iter().all(|part| !matches!(*part, "" | "." | "..")) && !path.chars().any(char::is_control);
        if !good {
            return Err(Error::BadPath(path.escape_debug().to_string()));
        }
        let begin = ["/bin/sh", "-c", &self.text(), self.name(), path].map(str::to_owned);
        Ok(Command::of(begin.into_iter().chain(args.iter().cloned()).collect())?)
    }
}

/// Makes an app's folders: `releases`, `shared` and `.rfab`, and checks the tools and the filesystem.
///
/// The owner is the user it runs as. Repeating it changes nothing but wrong modes of `releases` and `.rfab`.
pub fn setup(path: &str) -> Result<Command, Error> {
    Program::Setup.command(path, &[])
}

/// The same where another tool deployed to, whose releases and `current` stay as they are.
pub fn adopt(path: &str) -> Result<Command, Error> {
    Program::Setup.command(path, &["adopt".to_owned()])
}

/// Looks for all that would keep a release from being staged, and for linked files; changes nothing.
pub fn preflight(path: &str, files: &[String]) -> Result<Command, Error> {
    Program::Preflight.command(path, files)
}

/// Makes a linked file of so many bytes, which are to be on stdin, unless something is there.
///
/// `mode` is its permissions; without it `600` for a secret and `644` for any other text.
pub fn share(path: &str, file: &str, id: &str, bytes: u64, mode: Option<&str>, secret: bool) -> Result<Command, Error> {
    let mut args = vec![file.to_owned(), checked(id)?, bytes.to_string(), mode.unwrap_or("-").to_owned()];
    args.extend(secret.then(|| "secret".to_owned()));
    Program::Share.command(path, &args)
}

/// Unpacks the archive, which is to be on stdin, as a release that is not current yet.
///
/// `id` names the call's own folder for temporary files; no two calls at one time may have the same. The program
/// stops reading when the release is there already or there is no room: whoever writes must bear a closed pipe.
pub fn stage(path: &str, name: &ReleaseName, id: &str, packed: &Packed) -> Result<Command, Error> {
    let numbers = [packed.archive_bytes, packed.room, packed.manifest.entries.len() as u64, packed.tar_bytes];
    let [bytes, room, entries, tar_bytes] = numbers.map(|number| number.to_string());
    let digests = [packed.archive_sha256.clone(), packed.manifest_sha256.clone()];
    let [sha256, manifest] = digests;
    let args = [name.to_string(), checked(id)?, bytes, sha256, manifest, room, entries, tar_bytes];
    Program::Stage.command(path, &args)
}

/// Lists the releases and which is current; changes nothing.
pub fn list(path: &str) -> Result<Command, Error> {
    Program::List.command(path, &[])
}

/// Makes a staged release current by one rename; what other releases have in `assets` comes along, where it is missing.
pub fn activate(path: &str, name: &ReleaseName, id: &str, assets: &[String]) -> Result<Command, Error> {
    Program::Activate.command(path, &[&[name.to_string(), checked(id)?], assets].concat())
}

/// Removes all but the newest `keep` releases, those of the commits in `spared`, the current one, the one before it by
/// number, and those that a process is seen to run in; and what dead runs left behind.
pub fn prune(path: &str, keep: usize, spared: &[Commit]) -> Result<Command, Error> {
    if keep == 0 {
        return Err(Error::KeepNone);
    }
    let short = |commit: &Commit| commit.chars().take(12).collect();
    let args: Vec<String> = [keep.to_string()].into_iter().chain(spared.iter().map(short)).collect();
    Program::Prune.command(path, &args)
}

/// Compares a staged release with its manifest, every digest anew.
pub fn verify(path: &str, name: &ReleaseName, id: &str) -> Result<Command, Error> {
    Program::Verify.command(path, &[name.to_string(), checked(id)?])
}

fn checked(id: &str) -> Result<String, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let good = !id.is_empty() && id.len() <= 100 && !id.starts_with(['.', '-']) && id.bytes().all(plain);
    if good { Ok(id.to_owned()) } else { Err(Error::BadId(id.escape_debug().to_string())) }
}
