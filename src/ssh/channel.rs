//! A channel of a connection, in which one line is run.
use super::openssh::{Openssh, SILENT, WANTED, cut_off};
use crate::{failure::Failure, host::Host, port::Job};
use ::openssh::{Session, Stdio};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long a host may have no channel free.
const CHANNEL_WITHIN: Duration = Duration::from_secs(15);

/// How long a login shell may take to come to what it is asked to run.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);

impl Openssh {
    /// Asks for a channel, in which a line is run; again where the host has as many open as it allows, for one may end.
    pub(super) async fn channel(
        &self,
        host: &Host,
        session: &Arc<Session>,
        line: String,
        job: &Job<'_>,
    ) -> Result<::openssh::Child<Arc<Session>>, Failure> {
        let (until, halts) = (Instant::now() + CHANNEL_WITHIN, self.halts.load(SeqCst));
        loop {
            let mut command = session.clone().arc_raw_command(&line);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let e = match timeout(SILENT, command.spawn()).await {
                Ok(Ok(child)) => return Ok(child),
                Ok(Err(e)) => e,
                Err(_) => return Err(cut_off(host, job, "its connection is frozen")),
            };
            if !is_one_too_many(&e) {
                return Err(cut_off(host, job, &format!("its connection broke: {e}")));
            }
            if Instant::now() > until || self.halts.load(SeqCst) != halts {
                let message = "its sshd doesn't allow another command on the same connection";
                return Err(Failure::failed(message)
                    .on(&host.name)
                    .help("nothing was begun; raise `MaxSessions` in its sshd_config (10 is sshd's own default)"));
            }
            tokio::time::sleep(WANTED).await;
        }
    }

    /// Comes to its end when a line was not begun in time, or when everything was stopped before it was.
    pub(super) async fn until_stuck(&self, begun: &AtomicBool, halts: u32) {
        let until = Instant::now() + BEGUN_WITHIN;
        while Instant::now() < until && self.halts.load(SeqCst) == halts {
            tokio::time::sleep(WANTED).await;
            if begun.load(SeqCst) {
                break;
            }
        }
        if begun.load(SeqCst) {
            std::future::pending().await
        }
    }
}

/// Whether a channel was refused by a host that goes on to serve the connection.
fn is_one_too_many(e: &::openssh::Error) -> bool {
    let whole = std::iter::successors(Some(e as &dyn std::error::Error), |e| e.source());
    whole.map(ToString::to_string).any(|text| text.contains("refused by peer"))
}
