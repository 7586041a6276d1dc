//! A commit's tree, read without a checkout.
use super::{GitError, Repository, TreeEntry, id::whole, open::OpenRepository, visible::visible};
use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

/// The size of the largest file that rfab reads into memory, in bytes.
const LARGEST: u64 = 8 << 20;

/// The entries of a commit's tree, and the content of its files.
pub struct Tree {
    open: Box<OpenRepository>,
    repository: Repository,
    /// 40 hex digits, or 64 with sha256.
    pub commit: String,
    /// When it was committed, in seconds since 1970.
    pub at: i64,
    /// A folder comes before its entries.
    pub entries: Vec<TreeEntry>,
    ids: HashMap<Vec<u8>, (String, Option<u64>)>,
}

impl Tree {
    /// Reads the tree of the commit with this whole id.
    pub fn read(repository: &Repository, commit: &str) -> Result<Tree, GitError> {
        let open = OpenRepository::of(repository)?;
        if !whole(commit) || !open.has(commit) {
            return Err(GitError::Unknown { reference: visible(commit), near: Vec::new() });
        }
        let at = open.at(commit)?;
        let (mut entries, mut ids) = (Vec::new(), HashMap::new());
        for (entry, id, size) in open.tree(commit)? {
            ids.insert(entry.path.clone(), (id, size));
            entries.push(entry);
        }
        Ok(Tree { open: Box::new(open), repository: repository.clone(), commit: commit.to_owned(), at, entries, ids })
    }

    /// Returns whether a path of a commit is a folder; `None` if there is no such path or commit.
    pub fn has_folder(repository: &Repository, commit: &str, path: &str) -> Option<bool> {
        OpenRepository::of(repository).ok()?.has_folder(commit, path)
    }

    /// Returns the content of a file, or the target of a link.
    pub fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, GitError> {
        let (id, _) = self.id(entry)?;
        self.open.content(id).map_err(|e| unread(entry, &e))
    }

    /// Returns the size of a file in bytes.
    pub fn size(&self, entry: &TreeEntry) -> Result<u64, GitError> {
        match self.id(entry)? {
            (_, Some(size)) => Ok(*size),
            (id, None) => self.open.size(id).map_err(|e| unread(entry, &e)),
        }
    }

    /// Returns the size of a file, and a reader of its content. The user's git reads a large file.
    pub fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), GitError> {
        let size = self.size(entry)?;
        let (id, _) = self.id(entry)?;
        if size <= LARGEST {
            return Ok((size, Box::new(Cursor::new(self.content(entry)?))));
        }
        Ok((size, self.open.reader(&self.repository, id)?))
    }

    /// Returns the id of an entry's content; for a submodule, that of its commit.
    pub fn content_id(&self, entry: &TreeEntry) -> Option<&str> {
        self.ids.get(&entry.path).map(|(id, _)| id.as_str())
    }

    /// Returns the repository that it's in.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns the commit at which a submodule is pinned.
    pub fn pinned(&self, entry: &TreeEntry) -> Result<&str, GitError> {
        Ok(&self.id(entry)?.0)
    }

    fn id(&self, entry: &TreeEntry) -> Result<&(String, Option<u64>), GitError> {
        self.ids.get(&entry.path).ok_or_else(|| GitError::Read(format!("`{}`: it isn't there", shown(entry))))
    }
}

fn shown(entry: &TreeEntry) -> String {
    visible(&String::from_utf8_lossy(&entry.path))
}

fn unread(entry: &TreeEntry, e: &GitError) -> GitError {
    let why = match e {
        GitError::Read(why) => why.clone(),
        other => other.to_string(),
    };
    GitError::Read(format!("`{}`: {why} (a partial clone lacks files)", shown(entry)))
}

#[cfg(test)]
mod tests {
    use super::{super::EntryKind, *};
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
        assert!(matches!(Tree::read(&sample.repository(), &commit[..12]), Err(GitError::Unknown { .. })));
    }
}
