//! A connection in this process, and the channels on it.
use super::{
    heard::{ChannelStreams, LastHeard, streams},
    key_check::{KeyCheck, OpenRefusals},
    onward::Onward,
};
use crate::{
    port::Remote,
    ssh::{
        child::{ChannelRefusal, RemoteChild},
        connection::{SILENT, heard_within},
    },
};
use russh::{
    Channel, ChannelOpenFailure, Error,
    client::{Handle, Msg},
};
use std::{
    io,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    io::{copy_bidirectional, join},
    net::{UnixListener, UnixStream},
    sync::oneshot,
    time::sleep,
};

/// How long a server that has just sent something isn't asked whether it lives.
const FRESH: Duration = Duration::from_secs(5);

/// How long a forward waits after it couldn't take a connection, such as when too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a connection to a host behind this one may read nothing of what waits for it.
const STUCK: Duration = Duration::from_secs(10);

/// A connection in this process. It ends when this is dropped.
pub(crate) struct NativeConnection {
    handle: Arc<Handle<KeyCheck>>,
    heard: LastHeard,
    refusals: OpenRefusals,
    /// Ends the connection when dropped.
    _stop: oneshot::Sender<()>,
    /// The connection to the jump host that carries this one.
    _through: Option<Arc<NativeConnection>>,
}

impl NativeConnection {
    pub(super) fn new(
        handle: Handle<KeyCheck>,
        refusals: OpenRefusals,
        stop: oneshot::Sender<()>,
        through: Option<Arc<NativeConnection>>,
    ) -> Self {
        let (handle, heard) = (Arc::new(handle), LastHeard::now());
        Self { handle, heard, refusals, _stop: stop, _through: through }
    }

    /// Returns whether neither side has ended the connection. The server may be dead.
    pub(super) fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Returns whether the server answers, or has sent something within the last seconds.
    ///
    /// An answer may wait behind much output: then the output counts.
    pub(crate) async fn answers(&self) -> bool {
        self.answers_within(FRESH, SILENT).await
    }

    /// The same; the server isn't asked if it has sent something within `fresh`, and has `limit` to answer.
    async fn answers_within(&self, fresh: Duration, limit: Duration) -> bool {
        if !self.heard.within(fresh) && self.is_open() {
            match heard_within(limit, self.handle.send_ping()).await {
                Some(Ok(())) => self.heard.again(),
                _ => return self.is_open() && self.heard.within(limit),
            }
        }
        self.is_open()
    }

    /// Opens a channel that runs a line.
    pub(crate) async fn spawn(&self, line: &str) -> Result<RemoteChild, ChannelRefusal> {
        let opened = self.open(None, |handle| async move { handle.channel_open_session().await }).await;
        let (child, writing) = opened.map_err(|e| refusal(&e))?;
        writing.exec(true, line).await.map_err(|e| refusal(&e))?;
        Ok(child)
    }

    /// Opens a channel. If nobody waits for it any more when the server confirms it, it's closed again.
    ///
    /// With a limit, its streams end if nobody reads them for that long.
    async fn open<A, F>(&self, unread_within: Option<Duration>, ask: A) -> Result<ChannelStreams, Error>
    where
        A: FnOnce(Arc<Handle<KeyCheck>>) -> F,
        F: Future<Output = Result<Channel<Msg>, Error>> + Send + 'static,
    {
        let (asking, heard, (give, get)) = (ask(self.handle.clone()), self.heard.clone(), oneshot::channel());
        tokio::spawn(async move {
            let opened = asking.await;
            let _ = give.send(opened.map(|channel| streams(channel, heard, unread_within)));
        });
        get.await.unwrap_or(Err(Error::Disconnect))
    }

    /// Opens a stream that leads to another host's sshd; fails with the reason in OpenSSH's words.
    ///
    /// It ends if it isn't read for too long, because that holds up all other hosts behind this one.
    pub(super) async fn onward(&self, name: &str, port: u16) -> Result<Onward, String> {
        self.onward_within(name, port, STUCK).await
    }

    async fn onward_within(&self, name: &str, port: u16, unread_within: Duration) -> Result<Onward, String> {
        let name = name.to_owned();
        let ask = |handle: Arc<Handle<KeyCheck>>| async move {
            handle.channel_open_direct_tcpip(name, port.into(), "127.0.0.1", 0).await
        };
        let e = match self.open(Some(unread_within), ask).await {
            Ok((child, _)) => return Ok(Onward(child)),
            Err(e) => e,
        };
        let Error::ChannelOpenFailure(kind) = e else { return Err(e.to_string()) };
        let kind = match kind {
            ChannelOpenFailure::AdministrativelyProhibited => "administratively prohibited",
            ChannelOpenFailure::ConnectFailed => "connect failed",
            ChannelOpenFailure::ResourceShortage => "resource shortage",
            _ => "unknown channel type",
        };
        // The server's own words come a moment later than its refusal.
        for _ in 0..10 {
            if let Some(why) = self.refusals.take() {
                return Err(format!("channel 0: open failed: {kind}: {why}"));
            }
            sleep(Duration::from_millis(5)).await;
        }
        Err(format!("channel 0: open failed: {kind}: open failed"))
    }

    /// Makes a socket on this machine that leads to a place on the host, until the connection ends.
    pub(crate) fn forward(self: &Arc<Self>, near: &Path, to: &Remote) -> Result<(), String> {
        let listener = UnixListener::bind(near).map_err(|e| e.to_string())?;
        let listener = Arc::new(listener);
        let next = move || {
            let listener = listener.clone();
            async move { Ok(listener.accept().await?.0) }
        };
        tokio::spawn(accept(Arc::downgrade(self), to.clone(), next));
        Ok(())
    }
}

fn refusal(e: &Error) -> ChannelRefusal {
    match e {
        Error::ChannelOpenFailure(_) => ChannelRefusal::TooMany,
        Error::SendError => ChannelRefusal::Broken(Error::Disconnect.to_string()),
        e => ChannelRefusal::Broken(e.to_string()),
    }
}

/// Leads everyone who connects to a socket to a place on the host. `next` waits for the next one.
async fn accept<F>(connection: Weak<NativeConnection>, to: Remote, mut next: impl FnMut() -> F)
where
    F: Future<Output = io::Result<UnixStream>>,
{
    loop {
        let accepted = next().await;
        let Some(connection) = connection.upgrade().filter(|connection| connection.is_open()) else { return };
        match accepted {
            Ok(near) => drop(tokio::spawn(lead(connection, near, to.clone()))),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn lead(connection: Arc<NativeConnection>, mut near: UnixStream, to: Remote) {
    let ask = |handle: Arc<Handle<KeyCheck>>| async move {
        match to {
            Remote::Tcp(name, port) => handle.channel_open_direct_tcpip(name, port.into(), "127.0.0.1", 0).await,
            Remote::Unix(path) => handle.channel_open_direct_streamlocal(path).await,
        }
    };
    let opened = connection.open(None, ask).await;
    // What leads on mustn't keep a connection open that its owner has dropped.
    drop(connection);
    if let Ok((mut child, _)) = opened
        && let (Some(stdout), Some(stdin)) = (child.stdout.take(), child.stdin.take())
    {
        let _ = copy_bidirectional(&mut near, &mut join(stdout, stdin)).await;
    }
}

#[cfg(test)]
mod tests;
