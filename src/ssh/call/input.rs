//! Sends a command on a host its input.
use crate::{failure::Failure, port::Input, ssh::child::ChildInput};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How often the progress of a file is reported.
pub const PROGRESS: Duration = Duration::from_millis(250);

/// Refuses an unreadable file before the command begins.
pub(super) fn readable(input: &Input<'_>) -> Result<(), Failure> {
    let Input::File(path, _) = input else { return Ok(()) };
    std::fs::File::open(path)
        .map(drop)
        .map_err(|e| Failure::failed(format!("`{}` can't be read: {e}; nothing was sent", path.display())))
}

/// Writes the command's input, and closes it.
///
/// Fails if a file can't be read to its end; the command's input then stays open.
pub(super) async fn feed(open: &mut Option<ChildInput>, first: &[u8], input: &Input<'_>) -> std::io::Result<()> {
    let Some(stdin) = open.as_mut() else { return Ok(()) };
    // A command may close the pipe before the end of its input.
    if stdin.write_all(first).await.is_err() {
        return Ok(());
    }
    match input {
        Input::Empty => {}
        Input::Bytes(bytes) => {
            let _ = stdin.write_all(bytes).await;
        }
        Input::File(path, told) => {
            let mut file = tokio::fs::File::open(path).await?;
            let total = file.metadata().await?.len();
            let (mut buffer, mut done, mut last) = (vec![0; 256 << 10], 0, Instant::now());
            loop {
                let n = file.read(&mut buffer).await?;
                if n == 0 {
                    break;
                }
                if stdin.write_all(&buffer[..n]).await.is_err() {
                    return Ok(());
                }
                done += n as u64;
                if done == total || last.elapsed() > PROGRESS {
                    told(done, total);
                    last = Instant::now();
                }
            }
        }
        Input::Growing(growing, told) => {
            let (mut done, mut last) = (0, Instant::now());
            loop {
                let piece = growing.read(done).await?;
                if piece.is_empty() {
                    break;
                }
                if stdin.write_all(&piece).await.is_err() {
                    return Ok(());
                }
                done += piece.len() as u64;
                if last.elapsed() > PROGRESS {
                    told(done, growing.total().unwrap_or(0));
                    last = Instant::now();
                }
            }
            told(done, done);
        }
    }
    let _ = stdin.shutdown().await;
    *open = None;
    Ok(())
}
