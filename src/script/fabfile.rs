//! A project's compiled fabfile.
use super::{Meter, Resolver};
use crate::{
    failure::{Cause, Failure},
    fleet::Set,
};
use rhai::{AST, Engine};
use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// The fabfile, compiled, with its engine.
pub struct Script {
    pub engine: Arc<Engine>,
    pub ast: AST,
    pub resolver: Arc<Resolver>,
    /// Counts what the scripts of a run have used up.
    pub meter: Arc<Meter>,
    /// The task that names the hosts if no other task did.
    pub default_targets: Option<String>,
    /// The fabfile's folder.
    pub folder: PathBuf,
    /// `--set`: keys of fleet files and their values for this run.
    pub set: Vec<Set>,
    pub limit: Option<String>,
    pub exclude: Vec<String>,
}

impl Script {
    /// Returns the path of a project file, given inside the fabfile's folder.
    ///
    /// `Fabfile` for a path that points outside the folder.
    pub fn below(&self, path: &str) -> Result<PathBuf, Failure> {
        let relative = Path::new(path);
        let inside = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !inside || path.is_empty() {
            let message = format!("`{path}` isn't inside the fabfile's folder");
            return Err(Failure::new(Cause::Fabfile, message).help("give a path relative to the fabfile's folder"));
        }
        let whole = self.folder.join(relative);
        // A link in the repository must not give access to other files of this machine.
        let there = whole.ancestors().find_map(|part| part.canonicalize().ok());
        if !there.is_some_and(|there| there.starts_with(&self.folder)) {
            let message = format!("`{path}` points outside the fabfile's folder through a link");
            return Err(Failure::new(Cause::Fabfile, message).help("give a path that stays in the fabfile's folder"));
        }
        Ok(whole)
    }
}
