//! Allows only one fetch into a repository at a time.
use super::{GitError, Repository};
use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// Waits until no other rfab fetches into the repository, because git itself would fail on its ref locks. `None` if
/// the time runs out.
pub(super) async fn alone(repository: &Repository, until: Instant) -> Result<Option<OwnedFd>, GitError> {
    let path = repository.folder.join("rfab-fetch.lock");
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let unreadable = |e: Errno| GitError::Read(format!("`{}`: {e}", path.display()));
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
