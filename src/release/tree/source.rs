//! What a release's tree is read from: a commit, or a folder of this machine.
use super::folder::FolderTree;
use crate::git::{self, TreeEntry};
use std::io::Read;

/// A tree with readable names and contents.
pub(super) enum TreeSource {
    Commit(git::Tree),
    Folder(FolderTree),
}

impl TreeSource {
    /// Returns the commit of the release.
    pub(super) fn commit(&self) -> &str {
        match self {
            TreeSource::Commit(tree) => &tree.commit,
            TreeSource::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the modification time of all files, in seconds since 1970.
    pub(super) fn at(&self) -> i64 {
        match self {
            TreeSource::Commit(tree) => tree.at,
            TreeSource::Folder(folder) => folder.at,
        }
    }

    /// Returns the entries; a folder comes before its content.
    pub(super) fn entries(&self) -> &[TreeEntry] {
        match self {
            TreeSource::Commit(tree) => &tree.entries,
            TreeSource::Folder(folder) => &folder.entries,
        }
    }

    /// Reads a small file's content, or a link's target.
    pub(super) fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, git::GitError> {
        match self {
            TreeSource::Commit(tree) => tree.content(entry),
            TreeSource::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns a file's length in bytes, and a reader of its content.
    pub(super) fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), git::GitError> {
        match self {
            TreeSource::Commit(tree) => tree.reader(entry),
            TreeSource::Folder(folder) => folder.reader(entry),
        }
    }
}
