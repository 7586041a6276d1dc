//! What a release's tree is read from: a commit, or a folder of this machine.
use super::{
    folder::FolderTree,
    part::{CommitPart, Root},
};
use crate::{
    git::{self, EntryKind, TreeEntry},
    release::error::TreeProblem,
};
use std::io::Read;

/// A tree with readable names and contents.
pub(super) enum TreeSource {
    Commit(CommitPart),
    Folder(FolderTree),
}

/// The folder of a `.gitattributes`, and its content.
type AttributesFile = (Vec<u8>, Vec<u8>);

impl TreeSource {
    /// Returns the commit of the release.
    pub(super) fn commit(&self) -> &str {
        match self {
            TreeSource::Commit(part) => &part.roots[0].tree.commit,
            TreeSource::Folder(folder) => &folder.commit,
        }
    }

    /// Returns the modification time of all files, in seconds since 1970.
    pub(super) fn at(&self) -> i64 {
        match self {
            TreeSource::Commit(part) => part.roots[0].tree.at,
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

    /// Returns the number of repositories that it comes from, at least 1.
    pub(super) fn roots(&self) -> usize {
        match self {
            TreeSource::Commit(part) => part.roots.len(),
            TreeSource::Folder(_) => 1,
        }
    }

    /// Returns the number of a path's repository, and the path there.
    pub(super) fn own_path(&self, path: &[u8]) -> (usize, Vec<u8>) {
        match self {
            TreeSource::Commit(part) => part.own_path(path),
            TreeSource::Folder(_) => (0, path.to_vec()),
        }
    }

    /// Returns the repository of a commit's entry, and the entry there.
    pub(super) fn root(&self, entry: &TreeEntry) -> Option<(&Root, TreeEntry)> {
        match self {
            TreeSource::Commit(part) => Some(part.own(entry)),
            TreeSource::Folder(_) => None,
        }
    }

    /// Returns the id of a file's content in git.
    pub(super) fn blob_id(&self, entry: &TreeEntry) -> Option<String> {
        let (root, own) = self.root(entry)?;
        root.tree.content_id(&own).map(str::to_owned)
    }

    /// Returns whether placeholders of `export-subst` are substituted.
    pub(super) fn substitutes(&self) -> bool {
        matches!(self, TreeSource::Commit(part) if part.export_subst)
    }

    /// Returns the problem of a release without the content of a submodule.
    pub(super) fn unfilled(&self, path: &str) -> TreeProblem {
        let found = match self {
            TreeSource::Commit(part) => part.unfilled.get(path.as_bytes()),
            TreeSource::Folder(_) => None,
        };
        let plain = || TreeProblem::Submodule {
            path: path.to_owned(),
            why: "its files aren't in the commit".to_owned(),
            missing: false,
        };
        found.map_or_else(plain, |unfilled| unfilled.problem(path))
    }

    /// Returns the `.gitattributes` of the folders above, each with its folder.
    pub(super) fn attributes_above(&self) -> Result<Vec<AttributesFile>, git::GitError> {
        let TreeSource::Commit(part) = self else { return Ok(Vec::new()) };
        let Root { tree, above, .. } = &part.roots[0];
        let mut found = Vec::new();
        for entry in tree.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File { .. })) {
            let Some(folder) = entry.path.strip_suffix(b".gitattributes") else { continue };
            let plain = folder.is_empty() || folder.ends_with(b"/");
            if plain && folder.len() < above.len() && above.starts_with(folder) {
                found.push((folder.to_vec(), tree.content(entry)?));
            }
        }
        Ok(found)
    }

    /// Reads a small file's content, or a link's target.
    pub(super) fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, git::GitError> {
        match self {
            TreeSource::Commit(part) => {
                let (root, own) = part.own(entry);
                root.tree.content(&own)
            }
            TreeSource::Folder(folder) => folder.content(entry),
        }
    }

    /// Returns a file's length in bytes, and a reader of its content, as it was committed.
    pub(super) fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), git::GitError> {
        match self {
            TreeSource::Commit(part) => {
                let (root, own) = part.own(entry);
                root.tree.reader(&own)
            }
            TreeSource::Folder(folder) => folder.reader(entry),
        }
    }
}
