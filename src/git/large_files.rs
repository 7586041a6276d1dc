//! Contents that git-lfs keeps, fetched by the user's `git lfs`.
use super::{
    FetchProgress, GitError, Repository, Trust,
    borrowed::Borrowed,
    fetch::address,
    process::{git, patiently, read},
    write::done,
};
use crate::command::quoted;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The most characters of a list of files for `git lfs`; with more, it fetches those of the whole commit.
const LONGEST: usize = 60_000;

/// Returns the folders in which git-lfs may keep contents of a repository, each below the digits of its sha256.
pub fn large_stores(repository: &Repository, cache: &Path) -> Vec<PathBuf> {
    let told = || {
        let (ended, out) = read(repository, &["config", "--type=path", "--get", "lfs.storage"], "").ok()?;
        let path = ended.ok.then(|| String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned())?;
        Some(repository.folder.join(path))
    };
    let own = match repository.trust {
        Trust::Own => told().unwrap_or_else(|| repository.folder.join("lfs")),
        _ => repository.folder.join("lfs"),
    };
    vec![own.join("objects"), cache.join("lfs/objects")]
}

/// Fetches the contents of files of a commit: into the user's own clone, or into `cache` for any other repository.
///
/// In a clone, its settings and the `.lfsconfig` of its work tree count; otherwise the `.lfsconfig` of the commit.
pub async fn fetch_large(
    repository: &Repository,
    commit: &str,
    files: &[String],
    cache: &Path,
    quiet: Duration,
    progress: FetchProgress<'_>,
) -> Result<(), GitError> {
    let failed = |why: String| GitError::Git { what: "lfs fetch".to_owned(), why };
    let tool = git(repository, &["lfs", "version"], quiet).await?;
    if !tool.ok {
        return Err(failed("`git lfs` isn't installed".to_owned()));
    }
    let Some(remote) = &repository.remote else {
        return Err(failed("the repository has no remote".to_owned()));
    };
    let include = format!("--include={}", include(files));
    let mut args: Vec<String> = vec!["-c".into(), "lfs.forceprogress=true".into()];
    let borrowed;
    let (at, remote) = if repository.trust == Trust::Own {
        (repository, remote.clone())
    } else {
        let url = address(repository, remote).await?;
        borrowed = Borrowed::of(repository, commit, &[])?;
        let storage = cache.join("lfs").display().to_string();
        // Not as `-c`, which a server in a folder of this machine would obey, too.
        for (key, value) in [("remote.origin.url", &url), ("lfs.storage", &storage)] {
            done(&borrowed.at, &["config", key, value], quiet).await?;
        }
        (&borrowed.at, "origin".to_owned())
    };
    args.extend(["lfs", "fetch", &include, "--exclude=", &remote, commit].map(String::from));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut heard = |line: &str| {
        if let Some((done, total)) = counted(line) {
            progress(done, total);
        }
        true
    };
    match patiently(at, &args, "", quiet, &mut heard).await? {
        Some(ended) if ended.ok => Ok(()),
        Some(ended) => Err(failed(ended.why())),
        None => Err(failed("it was stopped".to_owned())),
    }
}

/// Returns the line that fetches a commit's contents by hand.
pub fn fetch_large_by_hand(repository: &Repository, commit: &str) -> Option<String> {
    let (Trust::Own, Some(remote)) = (repository.trust, &repository.remote) else { return None };
    let at = repository.work.as_ref().unwrap_or(&repository.folder).display().to_string();
    Some(format!("git -C {} lfs fetch {} {commit}", quoted(at.trim_end_matches('/')), quoted(remote)))
}

/// Returns the files as a list of patterns for `git lfs`; nothing, which means all, if the list is too long.
///
/// A character that a pattern can't have stands as `?`, which may match more files than these.
fn include(files: &[String]) -> String {
    let odd = |c: char| c.is_whitespace() || ",*?[]{}\\!#\"".contains(c);
    let list = files.iter().map(|file| file.replace(odd, "?")).collect::<Vec<_>>().join(",");
    if list.len() <= LONGEST { list } else { String::new() }
}

/// Parses the numbers of `Downloading LFS objects:  50% (1/2), 1.0 MB | 1.0 MB/s`.
fn counted(line: &str) -> Option<(u64, u64)> {
    let (done, rest) = line.split_once('(')?.1.split_once('/')?;
    Some((done.trim().parse().ok()?, rest.split(')').next()?.trim().parse().ok()?))
}
