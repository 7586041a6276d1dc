//! Whether a remote has anything to fetch.
use super::transfer::served;
use crate::git::{GitError, Repository, process::listing};
use std::{fs::File, os::fd::OwnedFd, time::Duration};

/// If the last fetch is younger than this, the remote has probably nothing new.
const RECENT: Duration = Duration::from_secs(10 * 60);

/// Returns whether the last fetch into a repository was a short time ago. `lock` is the file that it held.
pub(super) fn is_recent(lock: &OwnedFd) -> bool {
    let modified = || File::from(lock.try_clone().ok()?).metadata().ok()?.modified().ok();
    modified().is_some_and(|at| at.elapsed().is_ok_and(|age| age < RECENT))
}

/// Keeps the time of a fetch.
pub(super) fn fetched_now(lock: &OwnedFd) {
    if let Ok(file) = lock.try_clone() {
        let _ = File::from(file).set_modified(std::time::SystemTime::now());
    }
}

/// Returns whether the branches and tags of a remote are those that rfab fetched.
///
/// To list them takes git a fraction of a fetch, which looks at every object that a ref names.
pub(super) async fn is_unchanged(at: &Repository, remote: &str, within: Duration) -> Result<bool, GitError> {
    let format = "--format=%(objectname)\t%(refname)";
    let here = listing(at, &["for-each-ref", format, "refs/rfab/heads/", "refs/rfab/tags/"], within).await?;
    let here: Vec<String> = here.out.lines().map(|line| line.replacen("\trefs/rfab/", "\trefs/", 1)).collect();
    if here.is_empty() {
        return Ok(false);
    }
    let args = [&["ls-remote", "--quiet", "--refs", "--heads", "--tags"], served(at), &["--", remote]].concat();
    let there = listing(at, &args, within).await.map_err(|error| at.unfetched(error.to_string()))?;
    Ok(there.ok && there.out.lines().eq(here.iter().map(String::as_str)))
}
