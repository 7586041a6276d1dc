//! The files of a repository, in its work tree or at a commit.
use super::{
    candidate::{is_candidate, only_one},
    changed::ChangedText,
    edit::find,
    work_folder::{LARGEST, WorkFolder, checked, folder_of, is_entered, joined, link, text_of, too_large},
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

    /// Puts changed texts in place of those of a commit. The work tree itself never changes.
    pub(super) fn write(&mut self, changed: impl Iterator<Item = ChangedText>) {
        if let Snapshot::Commit(_, written) = self {
            written.extend(changed.map(|changed| (changed.path, changed.after)));
        }
    }

    /// Returns the texts that were written since the commit, by path.
    pub(super) fn written(self) -> BTreeMap<String, String> {
        match self {
            Snapshot::Work(_) => BTreeMap::new(),
            Snapshot::Commit(_, written) => written,
        }
    }

    /// Returns the version that a file has.
    pub(super) fn version(&self, file: &VersionFile) -> Result<String, Failure> {
        let text = self.needed(&file.file)?;
        Ok(find(file, &text).map_err(|e| e.of_file(&file.file, &text))?.value)
    }

    /// Returns the paths of files with these names, in a file's folder or the nearest one above it.
    ///
    /// A file that git doesn't track doesn't count.
    pub(super) fn nearest(&self, path: &str, names: &[&str]) -> Result<Vec<String>, Failure> {
        let mut folder = folder_of(path);
        loop {
            let inside = names.iter().map(|name| joined(folder, name)).collect();
            let here = self.tracked(inside)?;
            if !here.is_empty() || folder.is_empty() {
                return Ok(here);
            }
            folder = folder_of(folder);
        }
    }

    fn tracked(&self, paths: Vec<String>) -> Result<Vec<String>, Failure> {
        match self {
            Snapshot::Work(folder) => folder.tracked(paths),
            Snapshot::Commit(tree, _) => {
                let is_there = |path: &String| tree.entries.iter().any(|entry| entry.path == path.as_bytes());
                Ok(paths.into_iter().filter(is_there).collect())
            }
        }
    }

    /// Lists the files with a name below a folder, without those that a build or a package manager puts there.
    pub(super) fn below(&self, folder: &str, name: &str) -> Vec<String> {
        let tree = match self {
            Snapshot::Work(work) => return work.below(folder, name),
            Snapshot::Commit(tree, _) => tree,
        };
        let paths = tree.entries.iter().filter_map(|entry| String::from_utf8(entry.path.clone()).ok());
        let is_one = |path: &String| {
            let inside = path.strip_prefix(folder).map(|rest| rest.trim_start_matches('/'));
            let Some((above, last)) = inside.map(|rest| rest.rsplit_once('/').unwrap_or(("", rest))) else {
                return false;
            };
            let is_below = folder.is_empty() || path[folder.len()..].starts_with('/');
            last == name && is_below && above.split('/').all(|part| part.is_empty() || is_entered(part))
        };
        paths.filter(is_one).collect()
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
