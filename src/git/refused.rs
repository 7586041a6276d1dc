//! Why git does not read a repository.
use super::{GitError, process::GitEnded, repository::not_one};
use std::{os::unix::fs::MetadataExt, path::Path};

/// Words why git does not read what is at a path; of another user's it names the line that has it read.
pub(super) fn refused(path: &Path, ended: &GitEnded) -> GitError {
    let dubious = ended.err.split("dubious ownership in repository at '").nth(1);
    let Some(found) = dubious.and_then(|rest| rest.split("'\n").next()) else {
        return not_one(path, &ended.why());
    };
    let found = Path::new(found);
    GitError::Theirs { path: found.display().to_string(), advised: advised(path, found) }
}

/// Whether to trust another user's repository may be advised: it is the one that was named, not one that somebody
/// put further up, and nobody but its owner can put another into its place.
fn advised(named: &Path, found: &Path) -> bool {
    let same =
        |path: &Path| path.canonicalize().is_ok_and(|path| named.canonicalize().is_ok_and(|named| named == path));
    let open = |path: &Path| std::fs::metadata(path).map_or(true, |seen| seen.mode() & 0o022 != 0);
    let plain = found.to_str().is_some_and(|text| !text.contains(char::is_control));
    // A sticky folder such as `/tmp` is open to all: there anybody can be first.
    plain && (same(found) || same(&found.join(".git"))) && !open(found) && !found.parent().is_some_and(open)
}
