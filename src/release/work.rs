//! Work on this machine that takes a while.
use crate::failure::Failure;

/// Does work on another thread, so that the run doesn't stop for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|e| Failure::unknown(format!("work on this machine didn't finish: {e}")))?
}
