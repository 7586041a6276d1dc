//! Bytes that are counted as they pass, and digested as they are read.
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// A reader that counts and digests what passes, and keeps the error if reading fails.
pub(super) struct CountedReading<R> {
    pub inner: R,
    pub bytes: u64,
    pub sha256: Sha256,
    pub failed: Option<io::Error>,
}

impl<R> CountedReading<R> {
    /// Makes a reader around `inner`.
    pub(super) fn new(inner: R) -> Self {
        Self { inner, bytes: 0, sha256: Sha256::new(), failed: None }
    }
}

impl<R: Read> Read for CountedReading<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(piece) {
            Ok(read) => {
                self.bytes += read as u64;
                self.sha256.update(&piece[..read]);
                Ok(read)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            Err(e) => {
                self.failed = Some(e);
                Err(io::Error::other("it can't be read"))
            }
        }
    }
}

/// A writer that digests what passes.
pub(super) struct Digested<W> {
    pub inner: W,
    pub sha256: Sha256,
}

impl<W> Digested<W> {
    /// Makes a writer around `inner`.
    pub(super) fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new() }
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(piece)?;
        self.sha256.update(&piece[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A writer that counts what passes.
pub(super) struct Counted<W> {
    pub inner: W,
    pub bytes: u64,
}

impl<W> Counted<W> {
    /// Makes a writer around `inner`.
    pub(super) fn new(inner: W) -> Self {
        Self { inner, bytes: 0 }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(piece)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
