//! A connection that carries channels: an ssh process of OpenSSH's, or one in this process.
use super::{
    child::{ChannelRefusal, RemoteChild},
    native::NativeConnection,
};
use crate::port::Remote;
use openssh::{Error, ForwardType, Session, Socket, Stdio};
use std::{borrow::Cow, path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a socket may take to show that its connection lives.
pub(super) const ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// A connection to a host.
#[derive(Clone)]
pub(super) enum Carrier {
    /// The socket of a master process.
    Master(Arc<Session>),
    Native(Arc<NativeConnection>),
}

impl Carrier {
    /// Returns whether the connection answers. A process that is stopped doesn't.
    pub(super) async fn answers(&self) -> bool {
        match self {
            Carrier::Master(session) => {
                timeout(ALIVE_WITHIN, session.check()).await.is_ok_and(|checked| checked.is_ok())
            }
            Carrier::Native(connection) => connection.answers().await,
        }
    }

    /// Returns whether both are the same connection.
    pub(super) fn is(&self, other: &Carrier) -> bool {
        match (self, other) {
            (Carrier::Master(one), Carrier::Master(other)) => Arc::ptr_eq(one, other),
            (Carrier::Native(one), Carrier::Native(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Opens a channel that runs a line.
    pub(super) async fn spawn(&self, line: &str) -> Result<RemoteChild, ChannelRefusal> {
        let session = match self {
            Carrier::Master(session) => session.clone(),
            Carrier::Native(connection) => return connection.spawn(line).await,
        };
        let mut command = session.arc_raw_command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().await.map_err(|e| refusal(&e))?;
        Ok(RemoteChild {
            stdin: child.stdin().take().map(|stream| Box::new(stream) as _),
            stdout: child.stdout().take().map(|stream| Box::new(stream) as _),
            stderr: child.stderr().take().map(|stream| Box::new(stream) as _),
            exit: Box::pin(async { matches!(child.wait().await, Ok(_) | Err(Error::Remote(_))) }),
        })
    }

    /// Makes a socket on this machine that leads to a place on the host.
    pub(super) async fn forward(&self, near: &Path, to: &Remote) -> Result<(), String> {
        let session = match self {
            Carrier::Master(session) => session,
            Carrier::Native(connection) => return connection.forward(near, to),
        };
        let far = match to {
            Remote::Tcp(name, port) => Socket::TcpSocket { host: Cow::Borrowed(name), port: *port },
            Remote::Unix(path) => Socket::UnixSocket { path: Cow::Owned(path.into()) },
        };
        let here = Socket::UnixSocket { path: Cow::Borrowed(near) };
        session.request_port_forward(ForwardType::Local, here, far).await.map_err(|e| e.to_string())
    }
}

/// Tells a host that refused only this channel, and still serves the connection, from a broken one.
fn refusal(e: &Error) -> ChannelRefusal {
    let whole = std::iter::successors(Some(e as &dyn std::error::Error), |e| e.source());
    if whole.map(ToString::to_string).any(|text| text.contains("refused by peer")) {
        ChannelRefusal::TooMany
    } else {
        ChannelRefusal::Broken(e.to_string())
    }
}
