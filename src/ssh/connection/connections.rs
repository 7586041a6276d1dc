//! The connections of one fleet in one run: to its hosts, and to the jump hosts before them.
use super::{
    alive::living, hop::Hop, jumps::Jumps, master::Base, refusal::unreachable, route::route, ssh_answers::SshAnswers,
};
use crate::{
    failure::Failure,
    host::Host,
    ssh::{
        carrier::Carrier,
        native::{NativeOpening, NotOpened},
    },
};
use std::path::Path;

/// How many seconds a private connection stays without a program: the run was killed, or doesn't need it.
const UNUSED: &str = "30";

/// Opens connections, through jump hosts if a host is behind any.
pub(crate) struct Connections {
    pub base: Base,
    pub jumps: Jumps,
    /// Opens connections in this process, if the fleet has these.
    pub native: Option<NativeOpening>,
    /// What ssh printed about its options; none if a program or the network decides them.
    pub answers: Option<SshAnswers>,
}

impl Connections {
    /// Opens the connection to a host, or returns a live one.
    pub(crate) async fn open(&self, host: &Host) -> Result<Carrier, Failure> {
        if self.native.is_some()
            && let Some(carrier) = self.natively(host, &self.route(host).await?).await?
        {
            return Ok(carrier);
        }
        let socket = self.base.socket(host.address());
        let lock = match self.base.living(&socket).await? {
            Ok(carrier) => return Ok(carrier),
            Err(lock) => lock,
        };
        self.start(&socket, host, &self.route(host).await?, true).await?;
        drop(lock);
        living(&socket).await.ok_or_else(|| unreachable(host, "its connection exists, but doesn't answer"))
    }

    /// Finds the way to a host.
    pub(crate) async fn route(&self, host: &Host) -> Result<Vec<Hop>, Failure> {
        route(&self.base.config, host, self.answers.as_ref()).await
    }

    /// Opens a connection in this process; none if the host needs OpenSSH.
    pub(crate) async fn natively(&self, host: &Host, route: &[Hop]) -> Result<Option<Carrier>, Failure> {
        let Some(native) = &self.native else { return Ok(None) };
        match native.open(host, route).await {
            Ok(connection) => Ok(Some(Carrier::Native(connection))),
            Err(NotOpened::Needs { .. }) => Ok(None),
            Err(NotOpened::Login { at, why }) => Err(why.into_failure(host, route, &route[at])),
        }
    }

    /// Starts the ssh process of a connection, and returns when it is logged in.
    ///
    /// It's either kept for later commands, or private.
    pub(crate) async fn start(&self, socket: &Path, host: &Host, route: &[Hop], is_kept: bool) -> Result<(), Failure> {
        let (last, jumps) = route.split_last().expect("a host is on the way to itself");
        let through = self.jumps.open(&self.base, host, route, jumps).await?;
        let through = through.as_deref().map(|near| (near, jumps));
        let entered = if is_kept {
            self.base.keep(socket, last, through).await
        } else {
            self.base.login(socket, last, through, UNUSED).await
        };
        entered.map_err(|unheard| unheard.into_failure(host, route, last))
    }
}
