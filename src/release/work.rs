//! Work on this machine that takes its time.
use crate::failure::Failure;

/// Does work beside what the run waits for.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|e| Failure::unknown(format!("work on this machine didn't finish: {e}")))?
}
