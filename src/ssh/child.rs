//! A command on a host: its streams, and whether the host reported its end.
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// What a command reads.
pub(super) type ChildInput = Box<dyn AsyncWrite + Send + Unpin>;
/// What a command prints.
pub(super) type ChildOutput = Box<dyn AsyncRead + Send + Unpin>;

/// A command on a host. Its channel is closed when this is dropped.
pub(super) struct RemoteChild {
    pub stdin: Option<ChildInput>,
    pub stdout: Option<ChildOutput>,
    pub stderr: Option<ChildOutput>,
    /// Tells, when it's over, whether the host reported how it ended. A broken connection reports nothing.
    pub exit: Pin<Box<dyn Future<Output = bool> + Send>>,
}

/// Why a channel wasn't opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChannelRefusal {
    /// The host allows no more channels on this connection.
    TooMany,
    /// The connection broke.
    Broken(String),
}
