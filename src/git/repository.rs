//! A repository on this machine, and how far its configuration is trusted.
use super::{GitError, visible::visible};
use std::path::{Path, PathBuf};

/// A repository on this machine: the user's own, or a mirror of a URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The git directory that its worktrees share.
    pub folder: PathBuf,
    pub work: Option<PathBuf>,
    /// A remote's name, or a URL; `None` where there is no other repository to speak to.
    pub remote: Option<String>,
    pub trust: Trust,
}

/// How far a repository's configuration is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user's own: git behaves as by hand, hooks and signing included.
    Own,
    /// A mirror, made by rfab: the user's settings count, and there are no hooks.
    Mirror,
    /// Another user's, which the user's git opens all the same: no programs out of its configuration.
    Strange,
}

impl Repository {
    /// Words why it could not be fetched into.
    pub(super) fn unfetched(&self, why: String) -> GitError {
        let remote = visible(self.remote.as_deref().unwrap_or_default());
        let at = self.work.as_deref().unwrap_or(&self.folder).display().to_string();
        GitError::Fetch { remote, at: (self.trust != Trust::Mirror).then_some(at), why }
    }
}

/// Words that there is no repository at a path.
pub(super) fn not_one(path: &Path, why: &str) -> GitError {
    GitError::NotARepository { path: path.display().to_string(), why: visible(why) }
}
