//! The program that unpacks a release on a host, and its answer.
use super::{
    ListedRelease, Packed, Parcel, ReleaseError, ReleaseName,
    answer::AnswerLines,
    program::{Program, checked},
};
use crate::{command::Command, port::Ended};
use serde::{Deserialize, Serialize};

/// Makes the command that unpacks the parcel on stdin as a release that isn't current yet.
///
/// `id` names the folder for the call's temporary files; no two calls at the same time may share one. The program
/// stops reading when the release exists or the disk lacks room: the writer must cope with a closed pipe. `base` is the
/// earlier release that the parcel is a difference to. With `hash_all`, the host trusts no record of that release's files.
pub fn stage(
    path: &str,
    name: &ReleaseName,
    id: &str,
    packed: &Packed,
    parcel: &Parcel,
    base: Option<&ListedRelease>,
    hash_all: bool,
) -> Result<Command, ReleaseError> {
    let numbers = [packed.room, packed.manifest.entries.len() as u64, parcel.tar_bytes];
    let [room, entries, tar_bytes] = numbers.map(|number| number.to_string());
    let (manifest, packing) = (packed.manifest_sha256.clone(), parcel.packing.program().to_owned());
    let (base, digest) =
        base.map_or(("-".to_owned(), "-".to_owned()), |base| (base.name.to_string(), base.manifest.clone()));
    let hash = if hash_all { "all" } else { "changed" }.to_owned();
    let args = [name.to_string(), checked(id)?, manifest, room, entries, tar_bytes, packing, base, digest, hash];
    Program::Stage.command(path, &args)
}

/// How staging succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Staged {
    New,
    /// The host had the release already, with the same manifest; nothing was done.
    Already,
}

/// Reads the answer of `stage`.
pub fn staged(ended: &Ended, parcel: &Parcel) -> Result<Staged, ReleaseError> {
    let lines = AnswerLines::of(Program::Stage, ended).map_err(|error| match error {
        ReleaseError::Cut { .. } => ReleaseError::Cut { bytes: parcel.bytes },
        other => other,
    })?;
    let said = lines.each(|word, rest| match (word, rest) {
        ("staged", []) => Some(Staged::New),
        ("already", []) => Some(Staged::Already),
        _ => None,
    })?;
    match said[..] {
        [one] => Ok(one),
        _ => Err(lines.nonsense("not one answer")),
    }
}
