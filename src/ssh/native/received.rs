//! What a channel received, read as a stream.
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::mpsc,
};

/// Reads pieces that come over a channel of this process.
pub(super) struct Received<B> {
    pieces: mpsc::Receiver<B>,
    piece: Option<B>,
    /// How much of the piece was read.
    read: usize,
}

impl<B> Received<B> {
    pub(super) fn new(pieces: mpsc::Receiver<B>) -> Self {
        Self { pieces, piece: None, read: 0 }
    }
}

impl<B: AsRef<[u8]> + Unpin> AsyncRead for Received<B> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let read = self.read;
            if let Some(rest) = self.piece.as_ref().map(|piece| &piece.as_ref()[read..]).filter(|rest| !rest.is_empty())
            {
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
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn pieces_are_read_once_and_in_order_to_their_end() {
        let (sender, pieces) = mpsc::channel(4);
        let (mut received, mut first) = (Received::new(pieces), [0; 2]);
        sender.send("one".as_bytes()).await.unwrap();
        received.read_exact(&mut first).await.unwrap();
        // The reader waits for the next piece after it has read this one.
        let late = tokio::spawn(async move {
            tokio::task::yield_now().await;
            for piece in ["", "two"] {
                sender.send(piece.as_bytes()).await.unwrap();
            }
        });
        let mut rest = String::new();
        received.read_to_string(&mut rest).await.unwrap();
        late.await.unwrap();
        assert_eq!((&first, &*rest), (b"on", "etwo"));
    }
}
