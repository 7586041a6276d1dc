//! A host's file that is read to this machine, and the check that it arrived unchanged.
use super::{
    On,
    file::{PathKind, lies, unfit},
};
use crate::{command::Command, effect::At, failure::Failure};

/// Why a file that arrived is refused.
pub(super) const CHANGED: &str = "it changed while it was read, or arrived changed";

/// Returns the digest that the host computes for a file.
pub(super) async fn remote_digest(at: &At<'_>, on: &On, path: &str) -> Result<String, Failure> {
    match lies(at, on, path).await? {
        PathKind::File(digest) => Ok(digest),
        PathKind::Absent => Err(unfit(on, path, "it isn't there")),
        PathKind::Folder => Err(unfit(on, path, "it is a folder")),
        PathKind::Other => Err(unfit(on, path, "it isn't a file")),
    }
}

/// Makes the command that prints a file.
pub(super) fn cat(path: &str) -> Command {
    Command::of(["cat", "--", path].map(str::to_owned).to_vec()).expect("words")
}
