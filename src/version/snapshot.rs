//! The files of a repository, in its work tree or at a commit.
use super::{
    candidate::{is_candidate, only_one},
    edit::find,
    work_folder::{LARGEST, WorkFolder, checked, link, text_of, too_large},
};
use crate::{
    failure::Failure,
    fleet::VersionFile,
    git::{EntryKind, Repository, Tree},
    model::Model,
};
use std::collections::BTreeMap;

/// Files to read.
pub(super) enum Snapshot {
    Work(WorkFolder),
    /// A commit, and what a simulated run wrote since.
    Commit(Box<Tree>, BTreeMap<String, String>),
}

impl Snapshot {
    /// Opens the work tree, or the files of the commit with this whole id.
    pub(super) fn of(repository: &Repository, commit: Option<&str>) -> Result<Snapshot, Failure> {
        match commit {
            None => Ok(Snapshot::Work(WorkFolder::of(repository)?)),
            Some(commit) => Ok(Snapshot::Commit(Box::new(Tree::read(repository, commit)?), BTreeMap::new())),
        }
    }

    /// Opens them as a simulated run sees them.
    pub(super) fn simulated(
        repository: &Repository,
        source: &str,
        commit: Option<&str>,
        model: &Model,
    ) -> Result<Snapshot, Failure> {
        let Some(commit) = commit else {
            return Ok(Snapshot::Work(WorkFolder::simulated(repository, source, model)?));
        };
        let (real, written) = model.made_since(source, commit);
        Ok(Snapshot::Commit(Box::new(Tree::read(repository, &real)?), written))
    }

    /// Returns the text of a file; `None` if there is no such file.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        let (tree, written) = match self {
            Snapshot::Work(folder) => return folder.text(path),
            Snapshot::Commit(tree, written) => (tree, written),
        };
        checked(path)?;
        if let Some(text) = written.get(path) {
            return Ok(Some(text.clone()));
        }
        let Some(entry) = tree.entries.iter().find(|entry| entry.path == path.as_bytes()) else { return Ok(None) };
        match entry.kind {
            EntryKind::File { .. } if tree.size(entry)? > LARGEST => Err(too_large(path)),
            EntryKind::File { .. } => text_of(path, tree.content(entry)?),
            EntryKind::Link => Err(link(path)),
            EntryKind::Folder | EntryKind::Submodule => {
                Err(Failure::failed(format!("`{path}` can't be read: it isn't a file")))
            }
        }
        .map(Some)
    }

    /// Returns the text of a file that must be there.
    pub(super) fn needed(&self, path: &str) -> Result<String, Failure> {
        let absent = || match self {
            Snapshot::Work(_) => Failure::failed(format!("there is no file `{path}` in the repository")),
            Snapshot::Commit(tree, _) => {
                Failure::failed(format!("there is no file `{path}` at {}", &tree.commit[..12.min(tree.commit.len())]))
            }
        };
        self.text(path)?.ok_or_else(absent)
    }

    /// Returns the version that a file has.
    pub(super) fn version(&self, file: &VersionFile) -> Result<String, Failure> {
        let text = self.needed(&file.file)?;
        Ok(find(file, &text).map_err(|e| e.of_file(&file.file, &text))?.value)
    }

    /// Returns the only file that has a version, of those that have it in most projects.
    pub(super) fn only_version_file(&self) -> Result<VersionFile, Failure> {
        let candidates = match self {
            Snapshot::Work(folder) => folder.candidates(),
            Snapshot::Commit(tree, _) => {
                let files = tree.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File { .. }));
                let paths = files.filter_map(|entry| String::from_utf8(entry.path.clone()).ok());
                paths.filter(|path| is_candidate(path)).collect()
            }
        };
        only_one(candidates, |path| self.text(path))
    }
}
