//! The connections of one fleet in one run: to its hosts, and to the jump hosts before them.
use super::{alive::living, jumps::Jumps, master::Base, refusal::unreachable, route::route};
use crate::{failure::Failure, host::Host};
use openssh::Session;
use std::{path::Path, sync::Arc, time::Duration};

/// How long a dead peer may go unnoticed; ssh itself gives up after 15 s.
pub(crate) const SILENT: Duration = Duration::from_secs(20);

/// How many seconds a private connection stays without a program: the run was killed, or doesn't need it.
const UNUSED: &str = "30";

/// Opens connections, through jump hosts if a host is behind any.
pub(crate) struct Connections {
    pub base: Base,
    pub jumps: Jumps,
}

impl Connections {
    /// Opens the connection to a host, or returns a live one.
    pub(crate) async fn open(&self, host: &Host) -> Result<Arc<Session>, Failure> {
        let socket = self.base.socket(host.address());
        let lock = match self.base.living(&socket).await? {
            Ok(session) => return Ok(session),
            Err(lock) => lock,
        };
        self.start(&socket, host, true).await?;
        drop(lock);
        living(&socket).await.ok_or_else(|| unreachable(host, "its connection exists, but doesn't answer"))
    }

    /// Starts the ssh process of a connection, and returns when it is logged in.
    ///
    /// It's either kept for later commands, or private.
    pub(crate) async fn start(&self, socket: &Path, host: &Host, is_kept: bool) -> Result<(), Failure> {
        let route = route(&self.base.config, host).await?;
        let (last, jumps) = route.split_last().expect("a host is on the way to itself");
        let through = self.jumps.open(&self.base, host, &route, jumps).await?;
        let through = through.as_deref().map(|near| (near, jumps));
        let entered = if is_kept {
            self.base.keep(socket, last, through).await
        } else {
            self.base.login(socket, last, through, UNUSED).await
        };
        entered.map_err(|unheard| unheard.told(host, &route, last))
    }
}
