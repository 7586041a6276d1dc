//! Hears the channels of a connection. It always receives: what nobody reads yet waits in bounded memory.
use super::received::{PieceSender, arriving};
use crate::ssh::child::RemoteChild;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// The number of stderr among a channel's streams, by RFC 4254, 5.2.
const STDERR: u32 = 1;

/// When a server last sent something on a channel, or answered.
#[derive(Clone, Debug)]
pub(super) struct LastHeard(Arc<Mutex<Instant>>);

impl LastHeard {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(super) fn again(&self) {
        *self.0.lock().unwrap() = Instant::now();
    }

    pub(super) fn within(&self, time: Duration) -> bool {
        self.0.lock().unwrap().elapsed() < time
    }
}

/// A channel's streams, and what asks for a command on it.
pub(super) type ChannelStreams = (RemoteChild, Arc<ChannelWriteHalf<Msg>>);

/// Returns the streams of a channel, which is closed when the child is dropped. With a limit, the streams end if nobody
/// reads them for that long.
pub(super) fn streams(channel: Channel<Msg>, last: LastHeard, unread_within: Option<Duration>) -> ChannelStreams {
    let (reading, writing) = channel.split();
    let writing = Arc::new(writing);
    let stdin = Box::new(writing.make_writer());
    let ((out, stdout), (err, stderr)) = (arriving(unread_within), arriving(unread_within));
    let ((exited, exit), (unwanted, gone)) = (oneshot::channel(), oneshot::channel::<()>());
    let heard = Heard { out: Some(out), err: Some(err), exited: Some(exited), last };
    tokio::spawn(listen(reading, writing.clone(), heard, gone));
    let exit = Box::pin(async move {
        let has_exited = exit.await.unwrap_or(false);
        drop(unwanted);
        has_exited
    });
    let (stdout, stderr) = (Some(Box::new(stdout) as _), Some(Box::new(stderr) as _));
    (RemoteChild { stdin: Some(stdin), stdout, stderr, exit }, writing)
}

/// Where the output of a channel goes.
struct Heard {
    out: Option<PieceSender>,
    err: Option<PieceSender>,
    /// Hears whether the host reported how the command ended.
    exited: Option<oneshot::Sender<bool>>,
    last: LastHeard,
}

impl Heard {
    /// Hears the next message; returns false if it was the last one.
    async fn next(&mut self, reading: &mut ChannelReadHalf) -> bool {
        let message = reading.wait().await;
        self.last.again();
        match message {
            Some(ChannelMsg::Data { data }) => pass(&mut self.out, data).await,
            Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => pass(&mut self.err, data).await,
            Some(ChannelMsg::Eof) => (self.out, self.err) = (None, None),
            Some(ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }) => {
                self.exited.take().map(|exited| exited.send(true));
            }
            Some(ChannelMsg::Close | ChannelMsg::Failure) | None => return false,
            Some(_) => {}
        }
        true
    }
}

/// Hears a channel until its end, or until nobody wants it any more; then closes it.
async fn listen(
    mut reading: ChannelReadHalf,
    writing: Arc<ChannelWriteHalf<Msg>>,
    mut heard: Heard,
    mut gone: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            more = heard.next(&mut reading) => if !more { break },
            _ = &mut gone => break,
        }
    }
    // The connection mustn't wait to be heard here while this waits for the connection.
    drop((reading, heard));
    let _ = writing.close().await;
}

/// Passes on a piece of output, or drops it if nobody reads that stream any more.
async fn pass(to: &mut Option<PieceSender>, piece: bytes::Bytes) {
    if let Some(arriving) = to
        && !arriving.take(piece).await
    {
        *to = None;
    }
}
