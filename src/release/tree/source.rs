//! What a release's tree is read from: a commit, or a folder of this machine.
use super::folder::FolderTree;
use crate::{
    git::{self, EntryKind, TreeEntry},
    release::error::ReleaseError,
};
use std::io::Read;

/// A tree with readable names and contents.
pub(super) enum TreeSource {
    Commit(CommitPart),
    Folder(FolderTree),
}

/// A commit's tree, or a folder of it as if it were all.
pub(super) struct CommitPart {
    tree: git::Tree,
    /// The folder with a `/` at its end; empty for the whole tree.
    above: Vec<u8>,
    /// The entries by their paths from the folder on.
    entries: Vec<TreeEntry>,
}

/// The folder of a `.gitattributes`, and its content.
type AttributesFile = (Vec<u8>, Vec<u8>);

impl CommitPart {
    /// Returns an entry by its path in the commit.
    fn whole(&self, entry: &TreeEntry) -> TreeEntry {
        TreeEntry { path: [&self.above, &entry.path[..]].concat(), kind: entry.kind }
    }
}

impl TreeSource {
    /// Returns a commit's tree, or a folder of it; fails if the commit has no such folder.
    pub(super) fn commit_part(tree: git::Tree, part: Option<&str>) -> Result<TreeSource, ReleaseError> {
        let above = part.map(|part| format!("{part}/").into_bytes()).unwrap_or_default();
        let is_part =
            |entry: &TreeEntry| entry.kind == EntryKind::Folder && Some(&entry.path[..]) == part.map(str::as_bytes);
        if let Some(part) = part.filter(|_| !tree.entries.iter().any(is_part)) {
            return Err(ReleaseError::NoTree { commit: tree.commit, tree: part.to_owned() });
        }
        let below =
            |entry: &TreeEntry| Some(TreeEntry { path: entry.path.strip_prefix(&above[..])?.to_vec(), ..*entry });
        let entries = tree.entries.iter().filter_map(below).collect();
        Ok(TreeSource::Commit(CommitPart { tree, above, entries }))
    }

    /// Returns the commit of the release.
    pub(super) fn commit(&self) -> &str {
        match self {
            TreeSource::Commit(part) => &part.tree.commit,
            TreeSource::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the modification time of all files, in seconds since 1970.
    pub(super) fn at(&self) -> i64 {
        match self {
            TreeSource::Commit(part) => part.tree.at,
            TreeSource::Folder(folder) => folder.at,
        }
    }

    /// Returns the entries; a folder comes before its content.
    pub(super) fn entries(&self) -> &[TreeEntry] {
        match self {
            TreeSource::Commit(part) => &part.entries,
            TreeSource::Folder(folder) => &folder.entries,
        }
    }

    /// Returns what comes before each path in the commit: a folder with a `/` at its end, or nothing.
    pub(super) fn above(&self) -> &[u8] {
        match self {
            TreeSource::Commit(part) => &part.above,
            TreeSource::Folder(_) => &[],
        }
    }

    /// Returns the `.gitattributes` of the folders above, each with its folder.
    pub(super) fn attributes_above(&self) -> Result<Vec<AttributesFile>, git::GitError> {
        let TreeSource::Commit(part) = self else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in part.tree.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File { .. })) {
            let Some(folder) = entry.path.strip_suffix(b".gitattributes") else { continue };
            let plain = folder.is_empty() || folder.ends_with(b"/");
            if plain && folder.len() < part.above.len() && part.above.starts_with(folder) {
                found.push((folder.to_vec(), part.tree.content(entry)?));
            }
        }
        Ok(found)
    }

    /// Reads a small file's content, or a link's target.
    pub(super) fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, git::GitError> {
        match self {
            TreeSource::Commit(part) => part.tree.content(&part.whole(entry)),
            TreeSource::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns a file's length in bytes, and a reader of its content.
    pub(super) fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), git::GitError> {
        match self {
            TreeSource::Commit(part) => part.tree.reader(&part.whole(entry)),
            TreeSource::Folder(folder) => folder.reader(entry),
        }
    }
}
