//! Reads both output streams of a command.
use super::{
    stderr::Stderr,
    stdout::{Stdout, Trailer},
};
use crate::{
    port::{Job, Spending, SpendingTime},
    ssh::child::{ChildOutput, RemoteChild},
};
use std::time::Duration;
use tokio::{io::AsyncReadExt, time::timeout_at};

/// How long stderr is read after a command's end, if something that the command left running holds it open.
const LAST_WORDS: Duration = Duration::from_millis(20);
/// The same after a failure: its reason is on stderr, and may arrive late over a slow line.
const LAST_WORDS_OF_A_FAILURE: Duration = Duration::from_secs(3);

/// A stream of a command, until it's closed.
struct OpenStream {
    stream: ChildOutput,
    buffer: Vec<u8>,
    open: bool,
}

impl OpenStream {
    fn new(stream: ChildOutput, size: usize) -> Self {
        Self { stream, buffer: vec![0; size], open: true }
    }
}

/// Both streams of a command, and what was read from them.
pub(super) struct Printed<'a> {
    pub out: Stdout<'a>,
    pub err: Stderr<'a>,
    /// The network's until the command begins, and then its host's.
    pub time: SpendingTime,
    stdout: OpenStream,
    stderr: OpenStream,
}

impl<'a> Printed<'a> {
    /// Takes the streams of a command; its wrapper marks its lines with `mark`.
    pub(super) fn of(child: &mut RemoteChild, mark: &str, job: &Job<'a>) -> Self {
        Self {
            out: Stdout::new(mark, job.keep, job.heard).into(job.into),
            err: Stderr::new(mark, job.keep.min(1 << 20), job.heard),
            time: SpendingTime::on(Spending::Network),
            stdout: OpenStream::new(child.stdout.take().expect("piped"), 32 << 10),
            stderr: OpenStream::new(child.stderr.take().expect("piped"), 8 << 10),
        }
    }

    /// Reads the next piece of either stream; returns false after the trailer, or when both streams are closed.
    pub(super) async fn more(&mut self) -> bool {
        let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
        if self.out.trailer.is_some() || !(stdout.open || stderr.open) {
            return false;
        }
        tokio::select! {
            n = stdout.stream.read(&mut stdout.buffer), if stdout.open => match n {
                Ok(n) if n > 0 => self.out.push(&stdout.buffer[..n]),
                _ => stdout.open = false,
            },
            n = stderr.stream.read(&mut stderr.buffer), if stderr.open => match n {
                Ok(n) if n > 0 => self.err.push(&stderr.buffer[..n]),
                _ => stderr.open = false,
            },
        }
        true
    }

    /// Reads the end of stderr, which may arrive after the trailer; what the command left running may hold it open.
    pub(super) async fn last_words(&mut self) {
        let well = matches!(self.out.trailer, Some(Trailer::Status(0)));
        let until = tokio::time::Instant::now() + if well { LAST_WORDS } else { LAST_WORDS_OF_A_FAILURE };
        let stderr = &mut self.stderr;
        while stderr.open
            && let Ok(Ok(n)) = timeout_at(until, stderr.stream.read(&mut stderr.buffer)).await
            && n > 0
        {
            self.err.push(&stderr.buffer[..n]);
        }
    }

    /// Drops whatever is printed from now on. Unread, it would hold up other commands on the same connection.
    pub(super) fn ignore_rest(&mut self) {
        for stream in [&mut self.stdout, &mut self.stderr] {
            let mut stream = std::mem::replace(&mut stream.stream, Box::new(tokio::io::empty()));
            tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
        }
    }

    /// Returns whether the wrapper printed its mark on either stream.
    pub(super) fn has_begun(&self) -> bool {
        self.out.pid.is_some() || self.err.begun
    }

    /// Hears what follows the last newlines.
    pub(super) fn finish(&mut self) {
        self.out.finish();
        self.err.finish();
    }
}
