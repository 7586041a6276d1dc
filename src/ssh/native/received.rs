//! What a channel received, read as a stream.
use crate::ssh::connection::heard_within;
use bytes::Bytes;
use std::{
    future::pending,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

/// How much memory takes what wasn't read yet: a server sends 2 MiB, the window of a channel, before it waits. What
/// comes in addition holds up the whole connection until it is read.
const MOST: usize = (2 << 20) + (64 << 10);

/// How much memory a piece takes beside its bytes.
const BESIDE: usize = 128;

/// A piece, and the room that it takes until it was read.
type UnreadPiece = (Bytes, OwnedSemaphorePermit);

/// Takes the pieces of a stream.
pub(super) struct PieceSender {
    pieces: mpsc::UnboundedSender<UnreadPiece>,
    room: Arc<Semaphore>,
    /// How long a piece waits for room at the most, if there's a limit.
    within: Option<Duration>,
}

/// Returns both ends of a stream. It ends if a piece waits longer than `within` for the reader.
pub(super) fn arriving(within: Option<Duration>) -> (PieceSender, Received) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(MOST));
    (PieceSender { pieces: sender, room, within }, Received { pieces, piece: None, read: 0 })
}

impl PieceSender {
    /// Takes a piece when there's room for it; returns false if nobody reads the stream any more.
    pub(super) async fn take(&self, piece: Bytes) -> bool {
        let size = (piece.len() + BESIDE).min(MOST) as u32;
        let room = match self.room.clone().try_acquire_many_owned(size) {
            Ok(room) => Some(room),
            Err(_) => self.waited(size).await,
        };
        room.is_some_and(|room| self.pieces.send((piece, room)).is_ok())
    }

    /// Waits for room; none if nobody reads any more, or for too long.
    async fn waited(&self, size: u32) -> Option<OwnedSemaphorePermit> {
        let room = self.room.clone().acquire_many_owned(size);
        let late = async {
            match self.within {
                Some(limit) => heard_within(limit, pending::<()>()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            room = room => room.ok(),
            () = self.pieces.closed() => None,
            _ = late => None,
        }
    }
}

/// Reads pieces that come over a channel of this process.
pub(super) struct Received {
    pieces: mpsc::UnboundedReceiver<UnreadPiece>,
    piece: Option<UnreadPiece>,
    /// How much of the piece was read.
    read: usize,
}

impl AsyncRead for Received {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let read = self.read;
            if let Some(rest) = self.piece.as_ref().map(|(piece, _)| &piece[read..]).filter(|rest| !rest.is_empty()) {
                let length = rest.len().min(into.remaining());
                into.put_slice(&rest[..length]);
                self.read += length;
                return Poll::Ready(Ok(()));
            }
            (self.piece, self.read) = (None, 0);
            self.piece = ready!(self.pieces.poll_recv(cx));
            if self.piece.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt, time::timeout};

    #[tokio::test]
    async fn pieces_are_read_once_and_in_order_to_their_end() {
        let (sender, mut received) = arriving(None);
        let mut first = [0; 2];
        assert!(sender.take("one".into()).await);
        received.read_exact(&mut first).await.unwrap();
        // The reader waits for the next piece after it has read this one.
        let late = tokio::spawn(async move {
            tokio::task::yield_now().await;
            for piece in ["", "two"] {
                assert!(sender.take(piece.into()).await);
            }
        });
        let mut rest = String::new();
        received.read_to_string(&mut rest).await.unwrap();
        late.await.unwrap();
        assert_eq!((&first, &*rest), (b"on", "etwo"));
    }

    #[tokio::test]
    async fn a_whole_window_waits_unread_and_pieces_of_one_byte_take_no_more_memory_than_others() {
        for (size, fits) in [(32 << 10, 64..67), (1, 16_000..17_000)] {
            let (sender, received) = arriving(None);
            let mut taken = 0;
            while let Ok(true) = timeout(Duration::from_millis(100), sender.take(vec![0; size].into())).await {
                taken += 1;
            }
            assert!(fits.contains(&taken), "{taken} pieces of {size}");
            // Who waits for room hears that nobody reads any more.
            let waiting = tokio::spawn(async move { sender.take(vec![0; size].into()).await });
            tokio::task::yield_now().await;
            drop(received);
            assert!(!waiting.await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_not_read_for_too_long_ends_after_what_had_room() {
        let (sender, mut received) = arriving(Some(Duration::from_millis(50)));
        let mut taken = 0;
        while sender.take(vec![0; 32 << 10].into()).await {
            taken += 32 << 10;
        }
        drop(sender);
        let mut read = Vec::new();
        received.read_to_end(&mut read).await.unwrap();
        assert!(read.len() == taken && taken > 2 << 20, "{} of {taken}", read.len());
    }
}
