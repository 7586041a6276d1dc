//! Brings what a remote has into refs of rfab's own.
use crate::duration::limit;
mod alone;
mod first;
mod hashes;
mod transfer;

use self::{
    alone::alone,
    hashes::{by_sha256, hashes_otherwise},
    transfer::{ProgressListener, spoken},
};
use super::{
    FetchProgress, GitError, ReferenceNames, Repository, Trust, mirrors, names,
    process::{GitEnded, read},
    progress::{counted, shown},
    visible::visible,
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// A first fetch that would take longer is cut into portions, as soon as that can be seen.
const LONG: Duration = Duration::from_secs(90);
const SEEN: Duration = Duration::from_secs(10);

/// Fetches the remote's branches and tags into `refs/rfab/`, and forgets there what the remote no longer has.
///
/// Nothing else in the repository changes. Without a remote there is nothing to do. Two fetches into one repository
/// wait for each other. It may take its time as long as something arrives: it fails when git hears nothing for as long
/// as `quiet`. A mirror keeps what arrived.
pub async fn fetch(repository: &Repository, quiet: Duration, progress: FetchProgress<'_>) -> Result<(), GitError> {
    let Some(remote) = &repository.remote else { return Ok(()) };
    let Some(_alone) = alone(repository, Instant::now() + quiet).await? else {
        let why = format!("another rfab has fetched into this repository for {}", limit(quiet));
        return Err(repository.unfetched(why));
    };
    let remote = &address(repository, remote).await?;
    if repository.trust == Trust::Mirror {
        mirrors::bound(repository);
        return mirrored(repository, remote, quiet, progress).await;
    }
    judged(repository, all(repository, remote, quiet, &mut |line| shown(line, progress)).await)
}

/// A strange repository's remote by its URL: its configuration may name a program beside it.
async fn address(repository: &Repository, remote: &str) -> Result<String, GitError> {
    if repository.trust != Trust::Strange {
        return Ok(remote.to_owned());
    }
    let key = format!("remote.{remote}.url");
    let (ended, out) = read(repository, &["config", "--get", &key], "")?;
    let url = String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned();
    // `ext::` and the like name a program to run.
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
    // Left by a first fetch that did not come to its end.
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

/// Whether a transfer that has come so far will take long.
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
