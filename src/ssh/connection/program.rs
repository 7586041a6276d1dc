//! Runs an ssh program to its end.
use crate::duration::limit;
use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

/// Runs a program to its end; returns its status and its stderr, or why there is none.
///
/// A process that it leaves behind may hold its stderr open; rfab doesn't wait for that.
pub(crate) async fn ended(mut command: Command, within: Duration) -> Result<(ExitStatus, String), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| format!("ssh can't be started: {e}"))?;
    let stderr = child.stderr.take().expect("it is piped");
    let (mut said, mut all) = (Vec::new(), false);
    let mut beginning = stderr.take(16 << 10);
    let ended = timeout(within, async {
        let mut reading = Box::pin(beginning.read_to_end(&mut said));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                _ = &mut reading, if !all => all = true,
            }
        };
        if !all && status.as_ref().is_ok_and(|s| !s.success()) {
            let _ = timeout(Duration::from_secs(1), reading).await;
        }
        status
    });
    match ended.await {
        Ok(Ok(status)) => Ok((status, String::from_utf8_lossy(&said).into_owned())),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err(format!("no login within {}", limit(within))),
    }
}
