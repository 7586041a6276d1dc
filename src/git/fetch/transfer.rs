//! Calls `git fetch`, and cleans up after a broken call.
use crate::git::{
    GitError, Repository, Trust,
    process::{GitEnded, patiently},
};
use std::{fs, time::Duration};

/// Receives each line of git's progress, and returns whether to continue.
pub(super) type ProgressListener<'a> = &'a mut (dyn FnMut(&str) -> bool + Send);

/// Calls `git fetch`; `None` if `heard` ended it.
pub(super) async fn spoken(
    at: &Repository,
    remote: &str,
    how: &[&str],
    specs: &[&str],
    quiet: Duration,
    heard: ProgressListener<'_>,
) -> Result<Option<GitEnded>, GitError> {
    let common = [
        "fetch",
        "--progress",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        // Without this, the user's remote-tracking refs would move too.
        "--refmap=",
    ];
    let args = [&common, how, served(at), &["--", remote], specs].concat();
    patiently(at, &args, "", quiet, heard).await
}

/// Returns the option that names the program at the other end: a strange repository's configuration could name another.
pub(super) fn served(at: &Repository) -> &'static [&'static str] {
    if at.trust == Trust::Strange { &["--upload-pack=git-upload-pack"] } else { &[] }
}

/// Removes what a broken transfer has left. No other fetch into the mirror may be under way.
pub(super) fn alone_in(mirror: &Repository) {
    let packs = fs::read_dir(mirror.folder.join("objects/pack")).into_iter().flatten().flatten();
    for left in packs.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp_")) {
        let _ = fs::remove_file(left.path());
    }
    let _ = fs::remove_file(mirror.folder.join("shallow.lock"));
}
