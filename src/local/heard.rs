//! Reads an output of a process line by line, and keeps a limited part of it.
use crate::{
    event::Stream,
    port::LineSink,
    ssh::{Halves, flush, hear},
};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// An output of a process.
pub(super) struct HeardOutput<'a> {
    stream: Stream,
    heard: Option<&'a LineSink<'a>>,
    line: Vec<u8>,
    kept: Halves,
}

impl<'a> HeardOutput<'a> {
    /// Passes lines on to `heard`, and keeps at most `keep` bytes.
    pub(super) fn new(stream: Stream, heard: Option<&'a LineSink<'a>>, keep: usize) -> Self {
        Self { stream, heard, line: Vec::new(), kept: Halves::new(keep) }
    }

    /// Reads the output to its end.
    pub(super) async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut piece = vec![0; 32 << 10];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            self.kept.push(&piece[..read]);
            hear(&mut self.line, &piece[..read], self.stream, self.heard);
        }
    }

    /// Returns what was kept, and whether something was left out.
    pub(super) fn done(mut self) -> (Vec<u8>, bool) {
        flush(&mut self.line, self.stream, self.heard);
        self.kept.into_bytes()
    }
}
