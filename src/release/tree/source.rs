//! What a release's tree is read from: a commit, or a folder of this machine.
use super::folder::Folder;
use crate::git::{self, Entry};
use std::io::Read;

/// A tree with readable names and contents.
pub enum Source {
    Commit(git::Tree),
    Folder(Folder),
}

impl Source {
    /// Returns the commit of the release.
    pub fn commit(&self) -> &str {
        match self {
            Source::Commit(tree) => &tree.commit,
            Source::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the modification time of all files, in seconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            Source::Commit(tree) => tree.at,
            Source::Folder(folder) => folder.at,
        }
    }

    /// Returns the entries; a folder comes before its content.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Source::Commit(tree) => &tree.entries,
            Source::Folder(folder) => &folder.entries,
        }
    }

    /// Reads a small file's content, or a link's target.
    pub fn content(&self, entry: &Entry) -> Result<Vec<u8>, git::Error> {
        match self {
            Source::Commit(tree) => tree.content(entry),
            Source::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns a file's length in bytes, and a reader of its content.
    pub fn reader(&self, entry: &Entry) -> Result<(u64, Box<dyn Read + '_>), git::Error> {
        match self {
            Source::Commit(tree) => tree.reader(entry),
            Source::Folder(folder) => folder.reader(entry),
        }
    }
}
