//! The connection to one host, for the whole run: opened when first needed, and again after it broke.
use super::connections::Connections;
use crate::{failure::Failure, host::Host, ssh::carrier::Carrier};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a host that couldn't be reached isn't tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How often a connection is checked while a command runs.
const EVERY: Duration = Duration::from_secs(5);

/// The state of the connection.
#[derive(Default)]
pub(crate) struct Link(Mutex<LinkState>);

#[derive(Default)]
struct LinkState {
    carrier: Option<Carrier>,
    failed: Option<(Instant, Failure)>,
}

impl Link {
    /// Returns the connection, which has just answered.
    pub(crate) async fn carrier(&self, connections: &Connections, host: &Host) -> Result<Carrier, Failure> {
        let mut state = self.0.lock().await;
        if let Some(carrier) = &state.carrier {
            if carrier.answers().await {
                return Ok(carrier.clone());
            }
            state.carrier = None;
        }
        if let Some((when, failure)) = &state.failed
            && when.elapsed() < AGAIN
        {
            return Err(failure.clone());
        }
        let opened = connections.open(host).await;
        state.carrier = opened.as_ref().ok().cloned();
        state.failed = opened.as_ref().err().map(|failure| (Instant::now(), failure.clone()));
        opened
    }

    /// Drops a connection that doesn't answer, so that the next command opens another.
    pub(crate) async fn forget(&self, frozen: &Carrier) {
        let mut state = self.0.lock().await;
        if state.carrier.as_ref().is_some_and(|carrier| carrier.is(frozen)) {
            state.carrier = None;
        }
    }

    /// Gives up the connection, because the host accepts logins but runs nothing.
    pub(crate) async fn give_up(&self, failure: &Failure) {
        *self.0.lock().await = LinkState { carrier: None, failed: Some((Instant::now(), failure.clone())) };
    }
}

/// Returns when the connection doesn't answer any more, such as one with a stopped process.
pub(crate) async fn until_frozen(carrier: &Carrier) {
    let mut silent = 0;
    while silent < 2 {
        tokio::time::sleep(EVERY).await;
        silent = if carrier.answers().await { 0 } else { silent + 1 };
    }
}
