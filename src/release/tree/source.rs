//! What a release's tree is read from: a commit, or a folder of this machine.
use super::folder::FolderTree;
use crate::git::{self, TreeEntry};
use std::io::Read;

/// A tree whose names and contents can be read.
pub enum TreeSource {
    Commit(git::Tree),
    Folder(FolderTree),
}

impl TreeSource {
    /// Returns the commit whose release it becomes.
    pub fn commit(&self) -> &str {
        match self {
            TreeSource::Commit(tree) => &tree.commit,
            TreeSource::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the time that its files get, in seconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            TreeSource::Commit(tree) => tree.at,
            TreeSource::Folder(folder) => folder.at,
        }
    }

    /// Folders before what is in them.
    pub fn entries(&self) -> &[TreeEntry] {
        match self {
            TreeSource::Commit(tree) => &tree.entries,
            TreeSource::Folder(folder) => &folder.entries,
        }
    }

    /// Reads what a small file holds, or what a link points to.
    pub fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, git::GitError> {
        match self {
            TreeSource::Commit(tree) => tree.content(entry),
            TreeSource::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns how many bytes a file has, and its content piece by piece.
    pub fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), git::GitError> {
        match self {
            TreeSource::Commit(tree) => tree.reader(entry),
            TreeSource::Folder(folder) => folder.reader(entry),
        }
    }
}
