//! A repository on this machine, and how far rfab trusts its configuration.
use super::{GitError, visible::visible};
use std::path::{Path, PathBuf};

/// A repository on this machine: the user's own, or a mirror of a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The git directory that its worktrees share.
    pub folder: PathBuf,
    pub work: Option<PathBuf>,
    /// A remote's name, or a URL; `None` if it has no remote.
    pub remote: Option<String>,
    pub trust: Trust,
}

/// How far rfab trusts a repository's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user's own: git behaves as if the user had called it, with hooks and signing.
    Own,
    /// A mirror that rfab made: the user's settings apply, and there are no hooks.
    Mirror,
    /// A copy of a submodule, at a URL that a commit names: a mirror, with the protocols that git allows for submodules.
    Module,
    /// Another user's, which git opens all the same: no programs from its configuration run.
    Strange,
}

impl Repository {
    /// Builds the error of a failed fetch.
    pub(super) fn unfetched(&self, why: String) -> GitError {
        let remote = visible(self.remote.as_deref().unwrap_or_default());
        let at = self.work.as_deref().unwrap_or(&self.folder).display().to_string();
        GitError::Fetch { remote, at: (!matches!(self.trust, Trust::Mirror | Trust::Module)).then_some(at), why }
    }
}

/// Builds the error of a path without a repository.
pub(super) fn not_one(path: &Path, why: &str) -> GitError {
    GitError::NotARepository { path: path.display().to_string(), why: visible(why) }
}
