//! Explains why git refuses to read a repository.
use super::{GitError, process::GitEnded, repository::not_one};
use std::{os::unix::fs::MetadataExt, path::Path};

/// Builds the error of a path that git doesn't read. If it's another user's, the help has the line that allows it.
pub(super) fn refused(path: &Path, ended: &GitEnded) -> GitError {
    let dubious = ended.err.split("dubious ownership in repository at '").nth(1);
    let Some(found) = dubious.and_then(|rest| rest.split("'\n").next()) else {
        return not_one(path, &ended.why());
    };
    let found = Path::new(found);
    GitError::Theirs { path: found.display().to_string(), advised: advised(path, found) }
}

/// Returns whether to advise trusting another user's repository: it's the one that was named, not one from a folder
/// further up, and nobody but its owner can replace it.
fn advised(named: &Path, found: &Path) -> bool {
    let same =
        |path: &Path| path.canonicalize().is_ok_and(|path| named.canonicalize().is_ok_and(|named| named == path));
    let open = |path: &Path| std::fs::metadata(path).map_or(true, |seen| seen.mode() & 0o022 != 0);
    let plain = found.to_str().is_some_and(|text| !text.contains(char::is_control));
    // In a sticky folder such as `/tmp`, anyone can create the repository first.
    plain && (same(found) || same(&found.join(".git"))) && !open(found) && !found.parent().is_some_and(open)
}
