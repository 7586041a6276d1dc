//! A connection in this process, and the channels on it.
use super::{
    key_check::{KeyCheck, OpenRefusals},
    received::Received,
};
use crate::{
    port::Remote,
    ssh::child::{ChannelRefusal, RemoteChild},
};
use bytes::Bytes;
use russh::{
    Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Error,
    client::{Handle, Msg},
};
use std::{
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
    time::sleep,
};

/// How many pieces of output wait to be read.
const WAITING: usize = 8;

/// The number of stderr among a channel's streams, by RFC 4254, 5.2.
const STDERR: u32 = 1;

/// A connection in this process. It ends when this is dropped.
pub(crate) struct NativeConnection {
    handle: Handle<KeyCheck>,
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
        Self { handle, refusals, _stop: stop, _through: through }
    }

    /// Returns whether neither side has ended the connection. The server has answered within the last seconds, or will
    /// be found dead soon.
    pub(crate) fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    /// Opens a channel that runs a line.
    pub(crate) async fn spawn(&self, line: &str) -> Result<RemoteChild, ChannelRefusal> {
        let channel = self.handle.channel_open_session().await.map_err(|e| refusal(&e))?;
        let (reading, writing) = channel.split();
        writing.exec(true, line).await.map_err(|e| refusal(&e))?;
        let stdin = Box::new(writing.make_writer());
        let ((out, stdout), (err, stderr)) = (mpsc::channel(WAITING), mpsc::channel(WAITING));
        let ((exited, exit), (unwanted, gone)) = (oneshot::channel(), oneshot::channel::<()>());
        tokio::spawn(listen(reading, writing, Heard { out: Some(out), err: Some(err), exited: Some(exited) }, gone));
        let exit = Box::pin(async move {
            let has_exited = exit.await.unwrap_or(false);
            drop(unwanted);
            has_exited
        });
        Ok(RemoteChild {
            stdin: Some(stdin),
            stdout: Some(Box::new(Received::new(stdout))),
            stderr: Some(Box::new(Received::new(stderr))),
            exit,
        })
    }

    /// Opens a channel that leads to a place on the host's network.
    async fn to_port(&self, name: &str, port: u16) -> Result<Channel<Msg>, Error> {
        self.handle.channel_open_direct_tcpip(name, port.into(), "127.0.0.1", 0).await
    }

    /// Opens a channel that leads to another host's sshd; fails with the reason in OpenSSH's words.
    pub(super) async fn onward(&self, name: &str, port: u16) -> Result<Channel<Msg>, String> {
        let e = match self.to_port(name, port).await {
            Ok(channel) => return Ok(channel),
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
        tokio::spawn(accept(Arc::downgrade(self), listener, to.clone()));
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

/// Where the output of a channel goes.
struct Heard {
    out: Option<mpsc::Sender<Bytes>>,
    err: Option<mpsc::Sender<Bytes>>,
    /// Hears whether the host reported how the command ended.
    exited: Option<oneshot::Sender<bool>>,
}

/// Hears a channel until its end, or until nobody wants it any more; then closes it.
async fn listen(
    mut reading: ChannelReadHalf,
    writing: ChannelWriteHalf<Msg>,
    mut heard: Heard,
    mut gone: oneshot::Receiver<()>,
) {
    loop {
        let message = tokio::select! {
            message = reading.wait() => message,
            _ = &mut gone => break,
        };
        match message {
            Some(ChannelMsg::Data { data }) => pass(&mut heard.out, data).await,
            Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => pass(&mut heard.err, data).await,
            Some(ChannelMsg::Eof) => (heard.out, heard.err) = (None, None),
            Some(ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }) => {
                heard.exited.take().map(|exited| exited.send(true));
            }
            Some(ChannelMsg::Close | ChannelMsg::Failure) | None => break,
            Some(_) => {}
        }
    }
    let _ = writing.close().await;
}

/// Passes on a piece of output, or drops it if nobody reads that stream any more.
async fn pass(to: &mut Option<mpsc::Sender<Bytes>>, piece: Bytes) {
    if let Some(sender) = to
        && sender.send(piece).await.is_err()
    {
        *to = None;
    }
}

/// Leads everyone who connects to a socket to a place on the host.
async fn accept(connection: Weak<NativeConnection>, listener: UnixListener, to: Remote) {
    while let Ok((near, _)) = listener.accept().await {
        let Some(connection) = connection.upgrade().filter(|connection| connection.is_open()) else { return };
        tokio::spawn(lead(connection, near, to.clone()));
    }
}

async fn lead(connection: Arc<NativeConnection>, mut near: UnixStream, to: Remote) {
    let opened = match &to {
        Remote::Tcp(name, port) => connection.to_port(name, *port).await,
        Remote::Unix(path) => connection.handle.channel_open_direct_streamlocal(path).await,
    };
    // What leads on mustn't keep a connection open that its owner has dropped.
    drop(connection);
    if let Ok(channel) = opened {
        let _ = copy_bidirectional(&mut near, &mut channel.into_stream()).await;
    }
}
