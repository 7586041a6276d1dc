//! One name in a commit's tree.
use super::{GitError, visible::visible};

/// One name in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// From the top, parts separated by `/`; any bytes but NUL.
    pub path: Vec<u8>,
    pub kind: EntryKind,
}

/// What a name in a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File { executable: bool },
    Link,
    Submodule,
}

/// A name in a tree, the id of what it holds, and a file's length in bytes if that is known already.
pub(super) type TreeNode = (TreeEntry, String, Option<u64>);

/// Returns the kind of an entry, by its mode in git.
pub(super) fn kind_of(mode: u32) -> Result<EntryKind, GitError> {
    Ok(match mode & 0o170000 {
        0o040000 => EntryKind::Folder,
        0o120000 => EntryKind::Link,
        0o160000 => EntryKind::Submodule,
        0o100000 => EntryKind::File { executable: mode & 0o100 != 0 },
        _ => return Err(GitError::Read("a tree has an entry of unknown kind".to_owned())),
    })
}

/// Words why a tree cannot be read whole.
pub(super) fn lacking(why: &impl ToString) -> GitError {
    GitError::Read(format!("{} (a partial clone lacks files)", visible(&why.to_string())))
}

/// Deeper than any tree that people make, and far from the end of the stack.
pub(super) const DEEPEST: usize = 200;

/// Words that a tree is deeper than that.
pub(super) fn too_deep() -> GitError {
    GitError::Read(format!("a tree deeper than {DEEPEST} folders"))
}
