//! The files of a repository's work tree, as rfab reads and writes versions in them.
use super::candidate::{is_candidate, may_have_some};
use crate::{
    control::shown,
    failure::{Cause, Failure},
    fleet::why_no_path,
    git::{GitError, Repository, tracked},
    model::Model,
    temporary::TemporaryFile,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The largest file that rfab reads a version from, in bytes.
pub(super) const LARGEST: u64 = 16 << 20;

/// The most folders that rfab looks into for the packages of a workspace.
const MOST: usize = 20_000;

/// A work tree.
pub(super) struct WorkFolder {
    repository: Repository,
    top: PathBuf,
    /// The texts that a simulated run wrote, by path.
    written: BTreeMap<String, String>,
}

impl WorkFolder {
    /// Opens the work tree of a repository.
    ///
    /// `NoWorkTree` if it is bare.
    pub(super) fn of(repository: &Repository) -> Result<WorkFolder, Failure> {
        let work = repository.work.clone().ok_or(GitError::NoWorkTree)?;
        Ok(WorkFolder { repository: repository.clone(), top: work, written: BTreeMap::new() })
    }

    /// Opens it as a simulated run sees it, with what the run wrote.
    pub(super) fn simulated(repository: &Repository, source: &str, model: &Model) -> Result<WorkFolder, Failure> {
        let ours = model.files.iter().filter(|((of, _), _)| of == source);
        let written = ours.map(|((_, path), text)| (path.clone(), text.clone())).collect();
        Ok(WorkFolder { written, ..WorkFolder::of(repository)? })
    }

    /// Returns the text of a file; `None` if there is no such file.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        checked(path)?;
        if let Some(text) = self.written.get(path) {
            return Ok(Some(text.clone()));
        }
        if self.goes_through_a_link(path)? {
            return Err(link(path));
        }
        let unreadable = |why: &dyn std::fmt::Display| Failure::failed(format!("`{path}` can't be read: {why}"));
        let file = match File::open(self.top.join(path)) {
            Err(error) if absent(&error) => return Ok(None),
            file => file.map_err(|e| unreadable(&e))?,
        };
        if !file.metadata().map_err(|e| unreadable(&e))?.is_file() {
            return Err(unreadable(&"it isn't a file"));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| unreadable(&e))?;
        text_of(path, bytes).map(Some)
    }

    /// Replaces a file in one step. It keeps its permissions.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        checked(path)?;
        if self.goes_through_a_link(path)? {
            return Err(link(path));
        }
        let unwritten = |e: io::Error| Failure::failed(format!("`{path}` can't be written: {e}"));
        let file = self.top.join(path);
        let mode = fs::metadata(&file).map_err(unwritten)?.permissions();
        let folder = file.parent().unwrap_or(&self.top);
        let mut beside = TemporaryFile::make_in(folder).map_err(unwritten)?;
        beside.write_all(text.as_bytes()).map_err(unwritten)?;
        beside.as_file().set_permissions(mode).map_err(unwritten)?;
        beside.as_file().sync_all().map_err(unwritten)?;
        beside.persist(&file).map_err(unwritten)
    }

    /// Returns whether a part of a path is a link: it may lead out of the repository, and git commits the link itself.
    fn goes_through_a_link(&self, path: &str) -> Result<bool, Failure> {
        let mut place = self.top.clone();
        for part in path.split('/') {
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(about) if about.is_symlink() => return Ok(true),
                Ok(_) => {}
                Err(error) if absent(&error) => return Ok(false),
                Err(error) => return Err(Failure::failed(format!("`{path}` can't be read: {error}"))),
            }
        }
        Ok(false)
    }

    /// Returns those of some paths that are files that git tracks.
    pub(super) fn tracked(&self, paths: Vec<String>) -> Result<Vec<String>, Failure> {
        let there: Vec<String> = paths.into_iter().filter(|path| self.top.join(path).exists()).collect();
        Ok(tracked(&self.repository, &there)?)
    }

    /// Lists the files that have the version in most projects, by name.
    pub(super) fn candidates(&self) -> Vec<String> {
        let mut found: Vec<String> = self.walked("", &may_have_some).into_iter().filter(|p| is_candidate(p)).collect();
        found.sort();
        found
    }

    /// Lists the files with a name below a folder, without those that a build or a package manager puts there.
    pub(super) fn below(&self, folder: &str, name: &str) -> Vec<String> {
        let enters = |path: &str| is_entered(path.rsplit('/').next().unwrap_or(path));
        let files = self.walked(folder, &enters).into_iter();
        files.filter(|path| path.rsplit('/').next() == Some(name)).collect()
    }

    fn walked(&self, folder: &str, enters: &dyn Fn(&str) -> bool) -> Vec<String> {
        let (mut open, mut files, mut seen) = (vec![folder.to_owned()], Vec::new(), 0);
        while let Some(folder) = open.pop() {
            seen += 1;
            for entry in fs::read_dir(self.top.join(&folder)).into_iter().flatten().flatten() {
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = joined(&folder, &name);
                match entry.file_type() {
                    Ok(kind) if kind.is_file() => files.push(path),
                    Ok(kind) if kind.is_dir() && seen < MOST && enters(&path) => open.push(path),
                    _ => {}
                }
            }
        }
        files
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Checks that a path stays in the repository.
pub(super) fn checked(path: &str) -> Result<&str, Failure> {
    match why_no_path(path) {
        None => Ok(path),
        Some(why) => Err(Failure::new(Cause::Fabfile, format!("`{}` {why}", shown(path)))
            .help("write the path relative to the top of the repository, such as `app/VERSION`")),
    }
}

/// The failure of a path that is or goes through a link.
pub(super) fn link(path: &str) -> Failure {
    Failure::failed(format!("`{path}` is a link, or goes through one")).help("name the file that it leads to")
}

/// Reads the content of a file as a text.
pub(super) fn text_of(path: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(path));
    }
    String::from_utf8(bytes).map_err(|_| Failure::failed(format!("`{path}` isn't UTF-8 text")))
}

pub(super) fn too_large(path: &str) -> Failure {
    Failure::failed(format!("`{path}` has more than {} MiB", LARGEST >> 20))
}

/// The folder of a path; empty at the top.
pub(super) fn folder_of(path: &str) -> &str {
    Path::new(path).parent().and_then(Path::to_str).unwrap_or_default()
}

/// Returns the path of a file in a folder, which is empty at the top.
pub(super) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns whether a folder may have packages of the project: no build or package manager made it.
pub(super) fn is_entered(folder: &str) -> bool {
    !folder.starts_with('.') && !matches!(folder, "target" | "node_modules")
}
