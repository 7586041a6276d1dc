//! Fetches a remote's branches and tags into rfab's own refs.
use crate::{
    duration::limit,
    port::{Spending, SpendingTime},
};
mod first;
mod hashes;
mod packed;
mod transfer;
mod unchanged;

use self::{
    hashes::{by_sha256, hashes_otherwise},
    packed::pack,
    transfer::{ProgressListener, spoken},
    unchanged::{fetched_now, is_recent, is_unchanged},
};
use super::{
    FetchProgress, GitError, ReferenceNames, Repository, Trust,
    alone::alone,
    mirrors, names,
    process::{GitEnded, read},
    progress::{counted, shown},
    visible::visible,
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// A first fetch that would take longer than `LONG` is cut into portions. The estimate is used after `SEEN`.
const LONG: Duration = Duration::from_secs(90);
const SEEN: Duration = Duration::from_secs(10);

/// Fetches the remote's branches and tags into `refs/rfab/`, and removes those there that the remote has deleted.
///
/// It changes nothing else in the repository, and does nothing without a remote. Soon after a fetch, it first asks the
/// remote whether anything has changed. Two fetches into one repository wait for each other. It fails if git receives nothing for `quiet`, but as long as data arrives, it can take its time. A
/// mirror keeps what has arrived.
pub async fn fetch(repository: &Repository, quiet: Duration, progress: FetchProgress<'_>) -> Result<(), GitError> {
    let Some(remote) = &repository.remote else { return Ok(()) };
    let _time = SpendingTime::on(Spending::Network);
    let Some(lock) = alone(repository, Instant::now() + quiet).await? else {
        let why = format!("another rfab process is still fetching into this repository after {}", limit(quiet));
        return Err(repository.unfetched(why));
    };
    let remote = &address(repository, remote).await?;
    if is_recent(&lock) && is_unchanged(repository, remote, quiet).await? {
        return Ok(());
    }
    if repository.trust == Trust::Mirror {
        mirrors::bound(repository);
        mirrored(repository, remote, quiet, progress).await?;
    } else {
        judged(repository, all(repository, remote, quiet, &mut |line| shown(line, progress)).await)?;
    }
    pack(repository, quiet).await;
    fetched_now(&lock);
    Ok(())
}

/// Fetches what one name of the remote has, without a name for it here. It does nothing without a remote.
pub(super) async fn fetch_one(
    repository: &Repository,
    name: &str,
    quiet: Duration,
    progress: FetchProgress<'_>,
) -> Result<(), GitError> {
    let Some(remote) = &repository.remote else { return Ok(()) };
    let remote = &address(repository, remote).await?;
    judged(repository, spoken(repository, remote, &[], &[name], quiet, &mut |line| shown(line, progress)).await)
}

/// Returns the URL of a strange repository's remote. Its configuration could name a program for the remote's name.
pub(super) async fn address(repository: &Repository, remote: &str) -> Result<String, GitError> {
    if repository.trust != Trust::Strange {
        return Ok(remote.to_owned());
    }
    let key = format!("remote.{remote}.url");
    let (ended, out) = read(repository, &["config", "--get", &key], "")?;
    let url = String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned();
    // `ext::` and similar transports name a program to run.
    if !ended.ok || url.starts_with('-') || url.contains("::") {
        return Err(GitError::BadUrl(visible(&url)));
    }
    Ok(url)
}

async fn mirrored(
    mirror: &Repository,
    remote: &str,
    quiet: Duration,
    progress: FetchProgress<'_>,
) -> Result<(), GitError> {
    let mut heard = |line: &str| shown(line, progress);
    if names(mirror)? != ReferenceNames::default() {
        return judged(mirror, all(mirror, remote, quiet, &mut heard).await);
    }
    // A first fetch that didn't end has left this file.
    let begun = mirror.folder.join("rfab-begun");
    if !begun.exists() {
        let _ = fs::write(&begun, "");
        let (at, mut moved) = (Instant::now(), false);
        let mut first = |line: &str| {
            moved |= line.contains('%');
            shown(line, progress) && !long(line, at.elapsed())
        };
        let mut ended = all(mirror, remote, quiet, &mut first).await;
        if ended.as_ref().is_ok_and(|ended| ended.as_ref().is_some_and(|ended| !ended.ok))
            && hashes_otherwise(mirror, remote, quiet).await?
        {
            by_sha256(mirror)?;
            ended = all(mirror, remote, quiet, &mut first).await;
        }
        let ended = ended?;
        if !moved && ended.as_ref().is_some_and(|ended| !ended.ok) {
            let _ = fs::remove_file(&begun);
        }
        if !moved || ended.as_ref().is_some_and(|ended| ended.ok) {
            judged(mirror, Ok(ended))?;
            let _ = fs::remove_file(&begun);
            return Ok(());
        }
    }
    first::by_portions(mirror, remote, quiet, &mut heard).await?;
    judged(mirror, all(mirror, remote, quiet, &mut heard).await)?;
    first::done(mirror)?;
    let _ = fs::remove_file(&begun);
    Ok(())
}

/// Returns whether a transfer with this progress will take too long.
fn long(line: &str, elapsed: Duration) -> bool {
    let Some((done, total)) = counted(line, "Receiving objects:") else { return false };
    elapsed > SEEN && elapsed.as_secs_f64() * (total as f64 / done.max(1) as f64) > LONG.as_secs_f64()
}

async fn all(
    at: &Repository,
    remote: &str,
    quiet: Duration,
    heard: ProgressListener<'_>,
) -> Result<Option<GitEnded>, GitError> {
    let specs = ["+refs/heads/*:refs/rfab/heads/*", "+refs/tags/*:refs/rfab/tags/*"];
    spoken(at, remote, &["--prune"], &specs, quiet, heard).await
}

fn judged(at: &Repository, ended: Result<Option<GitEnded>, GitError>) -> Result<(), GitError> {
    let failed = |why| Err(at.unfetched(why));
    match ended {
        Ok(Some(ended)) if ended.ok => Ok(()),
        Ok(Some(ended)) => failed(ended.why()),
        Ok(None) => failed("it was stopped".to_owned()),
        Err(GitError::Quiet { what, quiet }) => failed(GitError::Quiet { what, quiet }.to_string()),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests;
