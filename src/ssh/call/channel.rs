//! A channel of a connection, which runs one line.
use super::{failure::cut_off, over::WANTED, running::Running};
use crate::{
    failure::Failure,
    host::Host,
    port::Job,
    ssh::{
        carrier::Carrier,
        child::{ChannelRefusal, RemoteChild},
        connection::{Link, SILENT, heard_within},
    },
};
use std::time::{Duration, Instant};

/// How long to wait for a free channel on a host.
const CHANNEL_WITHIN: Duration = Duration::from_secs(15);

/// Opens a channel that runs a line; tries again while the host allows no more channels, because one may end.
pub(super) async fn channel(
    host: &Host,
    link: &Link,
    carrier: &Carrier,
    line: &str,
    job: &Job<'_>,
    running: &Running,
) -> Result<RemoteChild, Failure> {
    let (until, halts) = (Instant::now() + CHANNEL_WITHIN, running.halts());
    loop {
        match heard_within(SILENT, carrier.spawn(line)).await {
            Some(Ok(child)) => return Ok(child),
            Some(Err(ChannelRefusal::TooMany)) => {}
            Some(Err(ChannelRefusal::Broken(why))) => {
                return Err(cut_off(host, job, &format!("its connection broke: {why}")));
            }
            None => {
                link.forget(carrier).await;
                return Err(cut_off(host, job, "its connection is frozen"));
            }
        }
        if Instant::now() > until || running.halts() != halts {
            let message = "its sshd doesn't allow another command on the same connection";
            return Err(Failure::failed(message)
                .on(&host.name)
                .help("nothing was started; raise `MaxSessions` in its sshd_config (10 is sshd's own default)"));
        }
        tokio::time::sleep(WANTED).await;
    }
}
