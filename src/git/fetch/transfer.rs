//! One call of `git fetch`, and what one that broke has left.
use crate::git::{
    GitError, Repository, Trust,
    process::{GitEnded, patiently},
};
use std::{fs, time::Duration};

/// Gets each line that git says of its progress, and tells whether to go on.
pub(super) type ProgressListener<'a> = &'a mut (dyn FnMut(&str) -> bool + Send);

/// Calls `git fetch`; returns nothing if it was ended because `heard` said so.
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
        // Else the user's remote-tracking refs move too.
        "--refmap=",
    ];
    let served = if at.trust == Trust::Strange { &["--upload-pack=git-upload-pack"][..] } else { &[] };
    let args = [&common, how, served, &["--", remote], specs].concat();
    patiently(at, &args, "", quiet, heard).await
}

/// Removes what a transfer that broke has left; nobody else fetches into the mirror now.
pub(super) fn alone_in(mirror: &Repository) {
    let packs = fs::read_dir(mirror.folder.join("objects/pack")).into_iter().flatten().flatten();
    for left in packs.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp_")) {
        let _ = fs::remove_file(left.path());
    }
    let _ = fs::remove_file(mirror.folder.join("shallow.lock"));
}
