//! Brings what a remote has into refs of rfab's own.
use super::{Error, Repository, Trust, open::Open, process::git, repository::by_sha256};
use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// Fetches the remote's branches and tags into `refs/rfab/`, and forgets there what the remote no longer has.
///
/// Nothing else in the repository changes. Without a remote there is nothing to do. Two fetches into one repository
/// wait for each other. The deadline counts for the whole of it.
pub async fn fetch(repository: &Repository, within: Duration) -> Result<(), Error> {
    let Some(remote) = &repository.remote else { return Ok(()) };
    let begun = Instant::now();
    let failed = |why| Error::Fetch { remote: super::process::visible(remote), why };
    let Some(_alone) = alone(repository, begun + within).await? else {
        return Err(failed(format!("another rfab has fetched into this repository for {} s", within.as_secs())));
    };
    let args = [
        "fetch",
        "--quiet",
        "--prune",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        // Else the user's remote-tracking refs move too.
        "--refmap=",
        "--",
        remote,
        "+refs/heads/*:refs/rfab/heads/*",
        "+refs/tags/*:refs/rfab/tags/*",
    ];
    let within = || within.saturating_sub(begun.elapsed());
    let mut ended = git(repository, &args, within()).await;
    if ended.as_ref().is_ok_and(|ended| !ended.ok) && hashes_otherwise(repository, remote, within()).await? {
        by_sha256(repository)?;
        ended = git(repository, &args, within()).await;
    }
    match ended {
        Ok(ended) if ended.ok => Ok(()),
        Ok(ended) => Err(failed(ended.why())),
        Err(late @ Error::TimedOut { .. }) => Err(failed(late.to_string())),
        Err(other) => Err(other),
    }
}

/// Whether a remote names its objects by sha256, and its mirror, which has nothing yet, was not made for that.
async fn hashes_otherwise(mirror: &Repository, remote: &str, within: Duration) -> Result<bool, Error> {
    if mirror.trust != Trust::Mirror || !matches!(mirror.open()?, Open::Here(_)) {
        return Ok(false);
    }
    let listed = git(mirror, &["ls-remote", "--quiet", "--", remote], within).await?;
    let id = listed.out.split('\t').next().unwrap_or_default();
    Ok(listed.ok && id.len() == 64 && super::names(mirror)? == super::Names::default())
}

/// Waits until no other rfab fetches into the repository; git itself would fail on its ref locks. Nothing when the
/// time is over.
async fn alone(repository: &Repository, until: Instant) -> Result<Option<OwnedFd>, Error> {
    let path = repository.folder.join("rfab-fetch.lock");
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let unreadable = |e: Errno| Error::Read(format!("`{}`: {e}", path.display()));
    let lock = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(unreadable)?;
    loop {
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(lock)),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(None),
            Err(other) => return Err(unreadable(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{names, sample::Sample};

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn only_refs_of_rfabs_own_change_and_what_is_gone_is_forgotten() {
        let sample = Sample::new();
        let other = sample.other();
        other.git(&["checkout", "-qb", "gone"]);
        other.commit("a", "1");
        other.git(&["tag", "v9.0.0"]);
        other.git(&["push", "-q", "origin", "gone", "v9.0.0"]);
        let before = sample.git(&["for-each-ref"]);
        fetch(&sample.repository(), SOON).await.unwrap();
        let seen = names(&sample.repository()).unwrap();
        assert!(seen.branches.iter().any(|named| named.name == "gone"));
        assert!(seen.tags.iter().any(|named| named.name == "v9.0.0"));
        other.git(&["push", "-q", "origin", ":gone", ":v9.0.0"]);
        fetch(&sample.repository(), SOON).await.unwrap();
        let seen = names(&sample.repository()).unwrap();
        assert!(!seen.branches.iter().any(|named| named.name == "gone"));
        assert!(!seen.tags.iter().any(|named| named.name == "v9.0.0"));
        sample.git(&["for-each-ref", "--format=delete %(refname)", "refs/rfab"]).lines().for_each(|line| {
            sample.git(&["update-ref", "-d", line.trim_start_matches("delete ")]);
        });
        assert_eq!(sample.git(&["for-each-ref"]), before);
        assert!(!sample.work.join(".git/FETCH_HEAD").exists());
    }

    #[tokio::test]
    async fn a_remote_that_is_gone_or_mute_fails_within_the_deadline() {
        let sample = Sample::new();
        sample.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
        assert!(matches!(fetch(&sample.repository(), SOON).await, Err(Error::Fetch { .. })));
        let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        sample.git(&["remote", "set-url", "origin", &format!("git://{}/x", mute.local_addr().unwrap())]);
        let begun = Instant::now();
        let failed = fetch(&sample.repository(), Duration::from_secs(1)).await;
        assert!(matches!(failed, Err(Error::Fetch { .. })), "{failed:?}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn fetches_into_one_repository_wait_for_each_other() {
        let sample = Sample::new();
        let other = sample.other();
        for n in 0..8 {
            other.commit("a", &n.to_string());
            other.git(&["push", "-q", "origin", "main"]);
            let repository = sample.repository();
            let all = tokio::join!(fetch(&repository, SOON), fetch(&repository, SOON), fetch(&repository, SOON));
            assert_eq!(all, (Ok(()), Ok(()), Ok(())));
        }
    }

    #[tokio::test]
    async fn a_fetch_that_another_one_blocks_gives_up() {
        let sample = Sample::new();
        let repository = sample.repository();
        let held = alone(&repository, Instant::now()).await.unwrap();
        let failed = fetch(&repository, Duration::from_millis(200)).await;
        assert!(matches!(failed, Err(Error::Fetch { .. })), "{failed:?}");
        drop(held);
        assert_eq!(fetch(&repository, SOON).await, Ok(()));
    }

    #[tokio::test]
    async fn a_mirror_runs_nothing_of_the_repositorys_configuration() {
        let sample = Sample::new();
        let cache = tempfile::tempdir().unwrap();
        let touched = sample.folder.path().join("touched");
        let url = format!("file://{}", sample.origin.display());
        let mirror = Repository::locate(&url, cache.path()).unwrap();
        let hook = mirror.folder.join("hooks/reference-transaction");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", touched.display())).unwrap();
        std::process::Command::new("chmod").arg("+x").arg(&hook).status().unwrap();
        fetch(&mirror, SOON).await.unwrap();
        assert!(!touched.exists());
        assert_eq!(names(&mirror).unwrap().branches.len(), 1);
        let again = Repository::locate(&url, cache.path()).unwrap();
        assert_eq!(names(&again).unwrap(), names(&mirror).unwrap());
    }
}
