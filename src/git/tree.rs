//! A commit's tree, read without a checkout.
use super::{Error, Repository, process::Blob};
use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

/// The largest file that is read into memory; libgit2 has no way to read a packed one piece by piece.
const LARGEST: u64 = 8 << 20;

/// Everything below a commit's top, and what its files hold.
pub struct Tree {
    open: git2::Repository,
    repository: Repository,
    /// 40 hex digits.
    pub commit: String,
    /// When it was committed, in seconds since 1970.
    pub at: i64,
    /// Folders before what is in them.
    pub entries: Vec<Entry>,
    ids: HashMap<Vec<u8>, git2::Oid>,
}

/// One name in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
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

impl Tree {
    /// Reads the tree of a commit, given by its whole id.
    pub fn read(repository: &Repository, commit: &str) -> Result<Tree, Error> {
        let open = repository.open()?;
        let unknown = |_| Error::Unknown { reference: super::process::visible(commit), near: Vec::new() };
        let id = git2::Oid::from_str(if commit.len() == 40 { commit } else { "" }).map_err(unknown)?;
        let (at, named) = {
            let found = open.find_commit(id).map_err(unknown)?;
            let mut named = Vec::new();
            collect(&open, &found.tree()?, &[], 0, &mut named)?;
            (found.time().seconds(), named)
        };
        let ids = named.iter().map(|(entry, id)| (entry.path.clone(), *id)).collect();
        let entries = named.into_iter().map(|(entry, _)| entry).collect();
        Ok(Tree { open, repository: repository.clone(), commit: commit.to_owned(), at, entries, ids })
    }

    /// Whether a commit has a folder of that name; nothing if it has nothing there, or there is no such commit.
    pub fn has_folder(repository: &Repository, commit: &str, path: &str) -> Option<bool> {
        let open = repository.open().ok()?;
        let tree = open.find_commit(git2::Oid::from_str(commit).ok()?).ok()?.tree().ok()?;
        let entry = tree.get_path(std::path::Path::new(path)).ok()?;
        Some(entry.kind() == Some(git2::ObjectType::Tree))
    }

    /// Reads what a file holds, or where a link leads.
    pub fn content(&self, entry: &Entry) -> Result<Vec<u8>, Error> {
        let id = self.id(entry)?;
        Ok(self.open.find_blob(id).map_err(|e| unread(entry, &e))?.content().to_vec())
    }

    /// How many bytes a file has, and its content piece by piece: a large one is read by the user's git.
    pub fn reader(&self, entry: &Entry) -> Result<(u64, Box<dyn Read + '_>), Error> {
        let id = self.id(entry)?;
        let size = self.open.odb()?.read_header(id).map_err(|e| unread(entry, &e))?.0 as u64;
        if size <= LARGEST {
            return Ok((size, Box::new(Cursor::new(self.content(entry)?))));
        }
        Ok((size, Box::new(Blob::open(&self.repository, &id.to_string())?)))
    }

    fn id(&self, entry: &Entry) -> Result<git2::Oid, Error> {
        self.ids.get(&entry.path).copied().ok_or_else(|| Error::Read(format!("`{}`: it is not there", shown(entry))))
    }
}

fn shown(entry: &Entry) -> String {
    super::process::visible(&String::from_utf8_lossy(&entry.path))
}

fn unread(entry: &Entry, e: &git2::Error) -> Error {
    Error::Read(format!("`{}`: {} (a partial clone lacks files)", shown(entry), e.message()))
}

/// Deeper than any tree that people make, and far from the end of the stack.
const DEEPEST: usize = 200;

fn collect(
    open: &git2::Repository,
    tree: &git2::Tree<'_>,
    above: &[u8],
    depth: usize,
    into: &mut Vec<(Entry, git2::Oid)>,
) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(Error::Read(format!("a tree deeper than {DEEPEST} folders")));
    }
    for entry in tree {
        let path =
            if above.is_empty() { entry.name_bytes().to_vec() } else { [above, b"/", entry.name_bytes()].concat() };
        let kind = match entry.filemode_raw() & 0o170000 {
            0o040000 => EntryKind::Folder,
            0o120000 => EntryKind::Link,
            0o160000 => EntryKind::Submodule,
            0o100000 => EntryKind::File { executable: entry.filemode_raw() & 0o100 != 0 },
            _ => return Err(Error::Read("a tree has an entry of unknown kind".to_owned())),
        };
        into.push((Entry { path: path.clone(), kind }, entry.id()));
        if kind == EntryKind::Folder {
            collect(open, &open.find_tree(entry.id())?, &path, depth + 1, into)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn a_tree_is_read_whole_whatever_the_work_tree_says() {
        let sample = Sample::new();
        sample.write("bin/run", b"#!/bin/sh\n");
        sample.make_executable("bin/run");
        std::os::unix::fs::symlink("bin/run", sample.work.join("link")).unwrap();
        let commit = sample.commit_all();
        std::fs::remove_dir_all(sample.work.join("bin")).unwrap();
        let tree = Tree::read(&sample.repository(), &commit).unwrap();
        let seen: Vec<_> = tree.entries.iter().map(|e| (String::from_utf8(e.path.clone()).unwrap(), e.kind)).collect();
        assert_eq!(
            seen,
            [
                ("README".to_owned(), EntryKind::File { executable: false }),
                ("bin".to_owned(), EntryKind::Folder),
                ("bin/run".to_owned(), EntryKind::File { executable: true }),
                ("link".to_owned(), EntryKind::Link),
            ]
        );
        assert_eq!(tree.content(&tree.entries[2]).unwrap(), b"#!/bin/sh\n");
        assert_eq!(tree.content(&tree.entries[3]).unwrap(), b"bin/run");
        assert!(matches!(Tree::read(&sample.repository(), &commit[..12]), Err(Error::Unknown { .. })));
    }
}
