//! A channel of a connection, which runs one line.
use super::{failure::cut_off, over::WANTED, running::Running};
use crate::{failure::Failure, host::Host, port::Job, ssh::connection::SILENT};
use openssh::{Child, Session, Stdio};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long to wait for a free channel on a host.
const CHANNEL_WITHIN: Duration = Duration::from_secs(15);

/// Opens a channel that runs a line; tries again while the host allows no more channels, because one may end.
pub(super) async fn channel(
    host: &Host,
    session: &Arc<Session>,
    line: &str,
    job: &Job<'_>,
    running: &Running,
) -> Result<Child<Arc<Session>>, Failure> {
    let (until, halts) = (Instant::now() + CHANNEL_WITHIN, running.halts());
    loop {
        let mut command = session.clone().arc_raw_command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let e = match timeout(SILENT, command.spawn()).await {
            Ok(Ok(child)) => return Ok(child),
            Ok(Err(e)) => e,
            Err(_) => return Err(cut_off(host, job, "its connection is frozen")),
        };
        if !is_one_too_many(&e) {
            return Err(cut_off(host, job, &format!("its connection broke: {e}")));
        }
        if Instant::now() > until || running.halts() != halts {
            let message = "its sshd doesn't allow another command on the same connection";
            return Err(Failure::failed(message)
                .on(&host.name)
                .help("nothing was begun; raise `MaxSessions` in its sshd_config (10 is sshd's own default)"));
        }
        tokio::time::sleep(WANTED).await;
    }
}

/// Returns whether a host refused only this channel, and still serves the connection.
fn is_one_too_many(e: &openssh::Error) -> bool {
    let whole = std::iter::successors(Some(e as &dyn std::error::Error), |e| e.source());
    whole.map(ToString::to_string).any(|text| text.contains("refused by peer"))
}
