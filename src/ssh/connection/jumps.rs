//! Connections to jump hosts: one to each, shared by all hosts behind it.
//!
//! One login per host would need a special setup of the jump host: sshd's `MaxStartups` turns away the eleventh.
use super::{alive::living, hop::Hop, master::Base, refusal::LoginFailure};
use crate::{failure::Failure, host::Host};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// How long a jump host that refused isn't tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// When a jump host refused, and why.
type Refused = Option<(Instant, LoginFailure)>;

/// The jump hosts that were tried.
#[derive(Default)]
pub(crate) struct Jumps(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Refused>>>>);

impl Jumps {
    /// Opens the connections to the jump hosts on a way, each through the one before it, or uses live ones; returns the
    /// last one's socket. `route` is the complete way to the host.
    pub(crate) async fn open(
        &self,
        base: &Base,
        host: &Host,
        route: &[Hop],
        jumps: &[Hop],
    ) -> Result<Option<PathBuf>, Failure> {
        let mut through: Option<PathBuf> = None;
        for (at, hop) in jumps.iter().enumerate() {
            let jump = self.0.lock().unwrap().entry(hop.key()).or_default().clone();
            let mut refused = jump.lock().await;
            // A jump host that is a machine of the fleet has the socket of its own connection.
            let socket = base.socket(hop.key().trim_start());
            if living(&socket).await.is_none() {
                if let Some((when, why)) = &*refused
                    && when.elapsed() < AGAIN
                {
                    return Err(why.clone().into_failure(host, route, hop));
                }
                if let Err(_lock) = base.living(&socket).await? {
                    let near = through.as_deref().map(|near| (near, &jumps[..at]));
                    let entered = base.keep(&socket, hop, near).await;
                    *refused = entered.as_ref().err().map(|why| (Instant::now(), why.clone()));
                    entered.map_err(|why| why.into_failure(host, route, hop))?;
                }
            }
            through = Some(socket);
        }
        Ok(through)
    }
}
