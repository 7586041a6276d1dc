//! The bytes of a connection: they end when it's dropped, and a peer that takes none for too long ends it.
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
    time::{Sleep, sleep},
};

/// How long a peer may take no bytes.
pub(super) const TAKES_WITHIN: Duration = Duration::from_secs(20);

/// How a server begins its greeting.
const GREETING: &[u8] = b"SSH-";

/// How much of its greeting a server has sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting(Arc<AtomicU8>);

/// The greeting's first bytes are being read; all of them were; something else came.
const ELSE: u8 = u8::MAX;

impl Greeting {
    /// Returns whether the server has greeted as an ssh server.
    pub(super) fn has_come(&self) -> bool {
        usize::from(self.0.load(SeqCst)) == GREETING.len()
    }

    fn read(&self, bytes: &[u8]) {
        for byte in bytes {
            let at = usize::from(self.0.load(SeqCst));
            if at >= GREETING.len() {
                return;
            }
            let next = if *byte == GREETING[at] { at as u8 + 1 } else { ELSE };
            self.0.store(next, SeqCst);
        }
    }
}

/// A stream to a server. It ends when the sender of `stop` is dropped.
pub(super) struct Wire<S> {
    stream: S,
    stop: oneshot::Receiver<()>,
    stopped: bool,
    /// How long the peer may take no bytes.
    within: Duration,
    late: Option<Pin<Box<Sleep>>>,
    greeting: Greeting,
}

impl<S> Wire<S> {
    /// Wraps a stream; returns what ends it when dropped, and what tells of the greeting.
    pub(super) fn new(stream: S, within: Duration) -> (Self, oneshot::Sender<()>, Greeting) {
        let ((sender, stop), greeting) = (oneshot::channel(), Greeting::default());
        (Self { stream, stop, stopped: false, within, late: None, greeting: greeting.clone() }, sender, greeting)
    }

    fn has_stopped(&mut self, cx: &mut Context<'_>) -> bool {
        self.stopped = self.stopped || Pin::new(&mut self.stop).poll(cx).is_ready();
        self.stopped
    }

    /// Passes on what a write came to, or fails if it takes too long.
    fn in_time<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.late = None;
            return polled;
        }
        let within = self.within;
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(within)));
        late.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.has_stopped(cx) {
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        self.greeting.read(&into.filled()[before..]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_stopped(cx) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_peer_that_takes_no_bytes_ends_the_wire_and_so_does_whoever_drops_it() {
        let (near, mut far) = duplex(8);
        let (mut wire, stop, greeting) = Wire::new(near, Duration::from_millis(20));
        far.write_all(b"SSH-2.0-").await.unwrap();
        assert!(!greeting.has_come());
        assert_eq!(wire.read_u8().await.unwrap(), b'S');
        wire.read_exact(&mut [0; 7]).await.unwrap();
        assert!(greeting.has_come());
        assert_eq!(wire.write_all(&[0; 9]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(stop);
        assert_eq!(wire.read(&mut [0; 1]).await.unwrap(), 0);
        assert_eq!(wire.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_greeting_is_that_of_an_ssh_server_however_its_pieces_fall() {
        for (pieces, has_come) in [
            (&["SSH-2.0-x\r\n"][..], true),
            (&["S", "SH", "-"], true),
            (&["Exceeded MaxStartups\r\n"], false),
            (&["SS", "Hx-SSH-"], false),
            (&[""], false),
        ] {
            let greeting = Greeting::default();
            pieces.iter().for_each(|piece| greeting.read(piece.as_bytes()));
            assert_eq!(greeting.has_come(), has_come, "{pieces:?}");
        }
    }
}
