//! A work tree that is there for one merge or pick.
use super::{
    GitError, Repository, hooks,
    process::{GitEnded, git, read},
    reading::WITHIN,
    visible::visible,
    write::done,
};
use crate::temporary::TemporaryFolder;
use std::fs;

/// With these settings, git takes only the files that match `KEPT` into the work tree.
const EMPTY: [&str; 4] = ["-c", "core.sparseCheckout=true", "-c", "core.sparseCheckoutCone=false"];

/// By gitignore(5): the files that have a say in a merge.
const KEPT: &str = ".gitattributes\n";

/// A work tree of a repository that is there for one merge or pick, with no branch.
///
/// It has no files but attributes and those that conflict. If a hook or a merge driver could look at the files, it has
/// all of them.
pub(super) struct Apart {
    repository: Repository,
    /// Names the folder with the hooks that run there.
    hooks_path: String,
    folder: TemporaryFolder,
    settings: &'static [&'static str],
}

impl Apart {
    /// Makes a work tree with a commit checked out.
    pub(super) async fn of(repository: &Repository, commit: &str) -> Result<Apart, GitError> {
        if !looks_at_files(repository)? {
            let apart = Apart::made(repository, &EMPTY, &["--no-checkout", "--detach"], commit).await?;
            if apart.empty().await? {
                return Ok(apart);
            }
            apart.remove(repository).await?;
        }
        Apart::made(repository, &[], &["--detach"], commit).await
    }

    async fn made(
        repository: &Repository,
        settings: &'static [&'static str],
        how: &[&str],
        commit: &str,
    ) -> Result<Apart, GitError> {
        let failed = |e: std::io::Error| GitError::Read(format!("a folder for the merge can't be made: {e}"));
        let folder = TemporaryFolder::make().map_err(failed)?;
        let work = folder.path().join("tree");
        let path = work.to_str().ok_or_else(|| GitError::BadName(work.display().to_string()))?;
        let hooks = folder.path().join("hooks");
        let hooks_path = format!("core.hooksPath={}", hooks.display());
        // A checkout isn't something that the user did, so its hook doesn't run.
        let add = [&["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet"], how, &[path, commit]].concat();
        done(repository, &add, WITHIN).await?;
        hooks::copy(repository, &hooks)?;
        let repository = Repository { work: Some(work), ..repository.clone() };
        Ok(Apart { repository, hooks_path, folder, settings })
    }

    /// Reads the commit into the index, and little of it into the work tree; `false` if this git can't, as before 2.27.
    async fn empty(&self) -> Result<bool, GitError> {
        let told = self.git(&["rev-parse", "--absolute-git-dir"]).await?;
        let info = std::path::Path::new(told.out.trim_end()).join("info");
        if fs::create_dir_all(&info).and_then(|()| fs::write(info.join("sparse-checkout"), KEPT)).is_err() {
            return Ok(false);
        }
        Ok(self.git(&["read-tree", "-m", "-u", "--no-recurse-submodules", "HEAD"]).await?.ok)
    }

    /// Runs git in the work tree.
    pub(super) async fn git(&self, args: &[&str]) -> Result<GitEnded, GitError> {
        git(&self.repository, &[&["-c", &*self.hooks_path], self.settings, args].concat(), WITHIN).await
    }

    /// Returns the commit that is checked out.
    pub(super) async fn head(&self) -> Result<String, GitError> {
        let ended = self.git(&["rev-parse", "--verify", "HEAD"]).await?;
        if ended.ok { Ok(ended.out.trim().to_owned()) } else { Err(GitError::Read(ended.why())) }
    }

    /// Returns the files with a conflict.
    pub(super) async fn open_files(&self) -> Vec<String> {
        match self.git(&["diff", "--name-only", "--diff-filter=U", "-z"]).await {
            Ok(open) => open.out.split('\0').filter(|file| !file.is_empty()).map(visible).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Removes the work tree.
    pub(super) async fn remove(self, repository: &Repository) -> Result<(), GitError> {
        drop(self.folder);
        done(repository, &["worktree", "prune"], WITHIN).await
    }
}

/// Returns whether a merge runs anything that could look at the files: a hook, or a merge driver.
fn looks_at_files(repository: &Repository) -> Result<bool, GitError> {
    let settings = r"^(merge\..*\.driver|hook\..*\.command)$";
    let (_, set) = read(repository, &["config", "--null", "--get-regexp", settings], "")?;
    Ok(!set.is_empty() || hooks::any(repository)?)
}
