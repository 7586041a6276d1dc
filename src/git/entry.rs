//! An entry of a commit's tree.
use super::{GitError, visible::visible};

/// An entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The path from the top, with `/` between its parts. It can have any bytes except NUL.
    pub path: Vec<u8>,
    pub kind: EntryKind,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File { executable: bool },
    Link,
    Submodule,
}

/// An entry, the id of its content, and a file's length in bytes if that is known.
pub(super) type TreeNode = (TreeEntry, String, Option<u64>);

/// Returns the kind of an entry from its mode in git.
pub(super) fn kind_of(mode: u32) -> Result<EntryKind, GitError> {
    Ok(match mode & 0o170000 {
        0o040000 => EntryKind::Folder,
        0o120000 => EntryKind::Link,
        0o160000 => EntryKind::Submodule,
        0o100000 => EntryKind::File { executable: mode & 0o100 != 0 },
        _ => return Err(GitError::Read("a tree has an entry of unknown kind".to_owned())),
    })
}

/// Builds the error of a tree that can't be read completely.
pub(super) fn lacking(why: &impl ToString) -> GitError {
    GitError::Read(format!("{} (a partial clone lacks files)", visible(&why.to_string())))
}

/// The deepest tree that rfab reads: deeper than people make them, and safe for the stack.
pub(super) const DEEPEST: usize = 200;

/// Builds the error of a tree that is deeper.
pub(super) fn too_deep() -> GitError {
    GitError::Read(format!("a tree deeper than {DEEPEST} folders"))
}
