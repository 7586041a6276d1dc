//! The hooks of a repository, and those that count for a merge which moves no branch yet.
use super::{GitError, Repository, Trust, process::read};
use crate::command::quoted;
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The hooks that can change or refuse a commit. Those that are told of one, such as `post-merge`, run when branches
/// move.
const DECIDING: [&str; 4] = ["pre-merge-commit", "pre-commit", "prepare-commit-msg", "commit-msg"];

/// Fills a folder with hooks that call the repository's own by their full paths.
pub(super) fn copy(repository: &Repository, to: &Path) -> Result<(), GitError> {
    let failed = |e: io::Error| GitError::Read(format!("the hooks can't be prepared: {e}"));
    fs::create_dir(to).map_err(failed)?;
    if repository.trust != Trust::Own {
        return Ok(());
    }
    let from = folder(repository)?;
    for name in DECIDING.into_iter().filter(|name| can_run(&from.join(name))) {
        let text = format!("#!/bin/sh\nexec {} \"$@\"\n", quoted(&from.join(name).display().to_string()));
        let own = to.join(name);
        fs::write(&own, text).map_err(failed)?;
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
}

/// Returns whether a hook can change or refuse a commit.
pub(super) fn any(repository: &Repository) -> Result<bool, GitError> {
    let all = names(repository)?;
    Ok(DECIDING.iter().any(|name| all.iter().any(|one| one == name)))
}

/// Returns the names of the hooks that can run, in order; none if rfab doesn't trust the repository's programs.
pub(super) fn names(repository: &Repository) -> Result<Vec<String>, GitError> {
    if repository.trust != Trust::Own {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder(repository)?).into_iter().flatten().flatten();
    let named = entries.filter(|entry| can_run(&entry.path())).filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = named.collect();
    names.sort();
    Ok(names)
}

fn can_run(hook: &Path) -> bool {
    hook.metadata().is_ok_and(|seen| seen.is_file() && seen.permissions().mode() & 0o111 != 0)
}

/// Finds the folder with the hooks. If `core.hooksPath` is relative, it starts from the work tree.
pub(super) fn folder(repository: &Repository) -> Result<PathBuf, GitError> {
    let (ended, out) = read(repository, &["rev-parse", "--git-path", "hooks"], "")?;
    if !ended.ok {
        return Err(GitError::Read(ended.why()));
    }
    let path = PathBuf::from(String::from_utf8_lossy(&out).trim_end_matches('\n'));
    Ok(repository.work.as_deref().unwrap_or(&repository.folder).join(path))
}
