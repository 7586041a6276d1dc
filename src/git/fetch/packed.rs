//! Keeps rfab's refs in git's file of packed refs.
use crate::git::{Repository, process::git};
use std::{fs, path::Path, time::Duration};

/// With more refs than this in files of their own, every call of git that reads refs takes noticeably longer.
const LOOSE: usize = 500;

/// Packs rfab's refs if many of them are in files of their own, as they are after a first fetch.
///
/// A ref stays what it is. If git can't do it, refs are only slower to read.
pub(super) async fn pack(at: &Repository, within: Duration) {
    if loose(&at.folder.join("refs/rfab"), 0) <= LOOSE {
        return;
    }
    let only = git(at, &["pack-refs", "--include", "refs/rfab/*"], within).await;
    if !only.is_ok_and(|ended| ended.ok) {
        // A git before 2.42 packs all refs, or none.
        let _ = git(at, &["pack-refs", "--all"], within).await;
    }
}

/// Counts the files below a folder, and stops soon after there are too many.
fn loose(folder: &Path, before: usize) -> usize {
    let mut found = before;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found = if is_folder { loose(&entry.path(), found) } else { found + 1 };
        if found > LOOSE {
            break;
        }
    }
    found
}
