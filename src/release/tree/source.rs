//! What a release's tree is read from: a commit, or a folder of this machine.
use super::folder::Folder;
use crate::git::{self, Entry};
use std::io::Read;

/// A tree whose names and contents can be read.
pub enum Source {
    Commit(git::Tree),
    Folder(Folder),
}

impl Source {
    /// Returns the commit whose release it becomes.
    pub fn commit(&self) -> &str {
        match self {
            Source::Commit(tree) => &tree.commit,
            Source::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the time that its files get, in seconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            Source::Commit(tree) => tree.at,
            Source::Folder(folder) => folder.at,
        }
    }

    /// Folders before what is in them.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Source::Commit(tree) => &tree.entries,
            Source::Folder(folder) => &folder.entries,
        }
    }

    /// Reads what a small file holds, or what a link points to.
    pub fn content(&self, entry: &Entry) -> Result<Vec<u8>, git::Error> {
        match self {
            Source::Commit(tree) => tree.content(entry),
            Source::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns how many bytes a file has, and its content piece by piece.
    pub fn reader(&self, entry: &Entry) -> Result<(u64, Box<dyn Read + '_>), git::Error> {
        match self {
            Source::Commit(tree) => tree.reader(entry),
            Source::Folder(folder) => folder.reader(entry),
        }
    }
}
