//! Reads a command's stderr.
use super::{
    bytes::{LINE, find},
    halves::Halves,
    heard::{flush, hear},
};
use crate::{event::Stream, port::LineSink};

/// Reads stderr, without what a login shell's start-up files print there before the wrapper's mark.
pub(super) struct Stderr<'a> {
    mark: Vec<u8>,
    heard: Option<&'a LineSink<'a>>,
    pub kept: Halves,
    /// The end of what came before the mark.
    before: Vec<u8>,
    /// Whether the wrapper's mark came.
    pub begun: bool,
    line: Vec<u8>,
}

impl<'a> Stderr<'a> {
    /// Makes a reader of what follows the wrapper's `mark`; it keeps at most `keep` bytes.
    pub(super) fn new(mark: &str, keep: usize, heard: Option<&'a LineSink<'a>>) -> Self {
        let mark = format!("{mark}\n").into_bytes();
        Self { mark, heard, kept: Halves::new(keep), before: Vec::new(), begun: false, line: Vec::new() }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.begun {
            return self.take(bytes);
        }
        self.before.extend_from_slice(bytes);
        if let Some(at) = find(&self.before, &self.mark) {
            self.begun = true;
            let rest = std::mem::take(&mut self.before).split_off(at + self.mark.len());
            return self.take(&rest);
        }
        let over = self.before.len().saturating_sub(LINE);
        self.before.drain(..over);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.kept.push(bytes);
        hear(&mut self.line, bytes, Stream::Err, self.heard);
    }

    /// Hears the text after the last newline; if the wrapper never began, what was printed instead.
    pub(super) fn finish(&mut self) {
        if !self.begun {
            let before = std::mem::take(&mut self.before);
            self.take(&before);
        }
        flush(&mut self.line, Stream::Err, self.heard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_start_up_files_say_on_stderr_is_left_out_unless_nothing_else_came() {
        let whole = "noise from .bashrc\nsudo: noise MARK\nsudo: a password is required\nlast";
        for cut in 0..whole.len() {
            let lines = std::sync::Mutex::new(Vec::new());
            let heard = |_, line: &str| lines.lock().unwrap().push(line.to_owned());
            let mut err = Stderr::new("MARK", 1 << 10, Some(&heard));
            err.push(&whole.as_bytes()[..cut]);
            err.push(&whole.as_bytes()[cut..]);
            err.finish();
            assert_eq!(*lines.lock().unwrap(), ["sudo: a password is required", "last"], "{cut}");
            assert_eq!(err.kept.into_bytes().0, b"sudo: a password is required\nlast");
        }
        let mut err = Stderr::new("MARK", 1 << 10, None);
        err.push(b"This account is currently not available.\n");
        err.finish();
        assert_eq!(err.kept.into_bytes().0, b"This account is currently not available.\n");
        let mut err = Stderr::new("MARK", 1 << 10, None);
        (0..100).for_each(|_| err.push(&[b'x'; 10_000]));
        assert!(err.before.len() <= LINE);
    }
}
