//! Reads a command's stdout, hears it line by line, and keeps it in bounded memory.
use super::{
    bytes::{LINE, find, line_end},
    halves::Halves,
    heard::{flush, hear},
};
use crate::{
    event::Stream,
    port::{ByteSink, LineSink},
};

/// How the call ended, as the wrapper reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trailer {
    Status(i32),
    /// The command ended with this status, but the ledger couldn't be written.
    LedgerAfter(i32),
    /// Nothing ran, because this couldn't be done.
    Refused(String),
}

/// Reads stdout: removes the wrapper's lines, and hears the rest.
pub(super) struct Stdout<'a> {
    mark: String,
    heard: Option<&'a LineSink<'a>>,
    /// Receives what the command prints, which then isn't kept.
    into: Option<&'a ByteSink<'a>>,
    pub kept: Halves,
    /// The undecided end of the stream, which may be the start of the trailer.
    pending: Vec<u8>,
    /// The last line before the wrapper's first.
    before: Vec<u8>,
    line: Vec<u8>,
    /// Whether the pending newline was heard already.
    ended: bool,
    pub pid: Option<u32>,
    pub trailer: Option<Trailer>,
}

impl<'a> Stdout<'a> {
    /// Makes a reader of what is between the wrapper's lines, which start with `mark`; it keeps at most `keep` bytes.
    pub(super) fn new(mark: &str, keep: usize, heard: Option<&'a LineSink<'a>>) -> Self {
        Self {
            mark: mark.to_owned(),
            heard,
            into: None,
            kept: Halves::new(keep),
            pending: Vec::new(),
            before: Vec::new(),
            line: Vec::new(),
            ended: false,
            pid: None,
            trailer: None,
        }
    }

    /// Sends what the command prints to `into`, if given.
    pub(super) fn into(self, into: Option<&'a ByteSink<'a>>) -> Self {
        Self { into, ..self }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pid.is_none() && !self.head() {
            // Such a long line can't be the wrapper's first line.
            let over = self.pending.len().saturating_sub(LINE);
            self.pending.drain(..over);
            return;
        }
        // The trailer is `\nMARK …\n`; so far, only its start may have arrived.
        let begin = format!("\n{} ", self.mark).into_bytes();
        if let Some(at) = find(&self.pending, &begin) {
            let rest = &self.pending[at + begin.len()..];
            if let Some(end) = line_end(rest) {
                let text = String::from_utf8_lossy(&rest[..end]).into_owned();
                self.trailer = Some(trailer(&text));
                let before = self.pending[..at].to_vec();
                self.take(&before);
                self.pending.clear();
                return;
            }
            if rest.len() < LINE {
                return;
            }
        }
        let most = self.pending.len().min(begin.len() - 1);
        let keep = (1..=most).rev().find(|n| self.pending.ends_with(&begin[..*n])).unwrap_or(0);
        let unsure = self.pending.split_off(self.pending.len() - keep);
        let sure = std::mem::replace(&mut self.pending, unsure);
        self.take(&sure);
        // Whether the newline is the command's or the trailer's, the line before it is complete.
        if keep > 0 && !self.line.is_empty() {
            flush(&mut self.line, Stream::Out, self.heard);
            self.ended = true;
        }
    }

    /// Reads the wrapper's first line, which contains the process's number; returns false if it isn't complete.
    fn head(&mut self) -> bool {
        let begin = format!("{} pid ", self.mark).into_bytes();
        let mut done = 0;
        while let Some(length) = line_end(&self.pending[done..]) {
            let line = &self.pending[done..done + length];
            // The output of a login shell's start-up files comes before it, with or without a newline.
            let pid = find(line, &begin).map(|at| String::from_utf8_lossy(&line[at + begin.len()..]).trim().parse());
            self.before = line.to_vec();
            done += length + 1;
            if let Some(pid) = pid {
                self.pid = Some(pid.unwrap_or(0));
                break;
            }
        }
        self.pending.drain(..done);
        self.pid.is_some()
    }

    fn take(&mut self, bytes: &[u8]) {
        match self.into {
            Some(into) => into(bytes),
            None => self.kept.push(bytes),
        }
        let heard = if self.ended { bytes.strip_prefix(b"\n").unwrap_or(bytes) } else { bytes };
        self.ended &= bytes.is_empty();
        hear(&mut self.line, heard, Stream::Out, self.heard);
    }

    /// Hears the text after the last newline; if the wrapper never began, what was printed last instead.
    pub(super) fn finish(&mut self) {
        let mut rest = std::mem::take(&mut self.pending);
        if self.pid.is_none() && rest.is_empty() {
            rest = std::mem::take(&mut self.before);
        }
        if self.trailer.is_none() {
            self.take(&rest);
        }
        flush(&mut self.line, Stream::Out, self.heard);
    }
}

fn trailer(text: &str) -> Trailer {
    match text.split_once(' ') {
        Some(("ledger", status)) => status.parse().map_or(Trailer::Refused(text.to_owned()), Trailer::LedgerAfter),
        _ => text.parse().map_or_else(|_| Trailer::Refused(text.to_owned()), Trailer::Status),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::heard::HEARD, *};

    fn read(pieces: &[&str]) -> (String, Option<Trailer>, Option<u32>) {
        let mut out = Stdout::new("MARK", 1 << 20, None);
        pieces.iter().for_each(|p| out.push(p.as_bytes()));
        out.finish();
        let (trailer, pid) = (out.trailer.clone(), out.pid);
        (String::from_utf8(out.kept.into_bytes().0).unwrap(), trailer, pid)
    }

    #[test]
    fn the_wrappers_lines_are_taken_out_however_the_pieces_fall() {
        let whole = "hello from .bashrc\nMARK pid 12\none\ntwo\nMARK 7\n";
        for cut in 0..whole.len() {
            let (text, trailer, pid) = read(&[&whole[..cut], &whole[cut..]]);
            assert_eq!((&*text, trailer, pid), ("one\ntwo", Some(Trailer::Status(7)), Some(12)), "{cut}");
        }
        assert_eq!(read(&["no line end MARK pid 1\n\nMARK 0\n"]).2, Some(1));
        assert_eq!(read(&["MARK pid 1\nends\n\nMARK 0\n"]).0, "ends\n");
        assert_eq!(read(&["MARK pid 1\n\nMARK 0\n"]).0, "");
    }

    #[test]
    fn no_trailer_is_none_and_an_odd_one_is_no_status() {
        assert_eq!(read(&["MARK pid 1\nhalf"]), ("half".into(), None, Some(1)));
        assert_eq!(read(&["MARK pid 1\n\nMARK folder\n"]).1, Some(Trailer::Refused("folder".into())));
        assert_eq!(read(&["MARK pid 1\nx\nMARK ledger 0\n"]).1, Some(Trailer::LedgerAfter(0)));
    }

    #[test]
    fn a_line_is_heard_as_soon_as_it_is_whole_and_once() {
        let whole = "MARK pid 1\none\n\ntwo\nMARK!\nlast\n\nMARK 0\n";
        for cut in 0..whole.len() {
            let lines = std::sync::Mutex::new(Vec::new());
            let heard = |_, line: &str| lines.lock().unwrap().push(line.to_owned());
            let mut out = Stdout::new("MARK", 1 << 10, Some(&heard));
            out.push(&whole.as_bytes()[..cut]);
            if whole[..cut].ends_with("one\n") {
                assert_eq!(*lines.lock().unwrap(), ["one"]);
            }
            out.push(&whole.as_bytes()[cut..]);
            out.finish();
            assert_eq!(*lines.lock().unwrap(), ["one", "", "two", "MARK!", "last"], "{cut}");
        }
    }

    #[test]
    fn a_secret_is_masked_wherever_the_pieces_of_it_fall() {
        let masks = crate::secret::Masks::default();
        masks.add(&"-----KEY-----\nabcdefgh+ü/1234".into());
        let whole = "MARK pid 1\nis -----KEY-----\nabcdefgh+ü/1234.\nYWJjZGVmZ2grw7wvMTIzNA==\nMARK!\nabcdefgh+ü/1234\nMARK 0\n".as_bytes();
        for cut in 0..whole.len() {
            for again in [cut, whole.len().min(cut + 3)] {
                let lines = std::sync::Mutex::new(Vec::new());
                let heard = |_, line: &str| lines.lock().unwrap().push(masks.text(line).into_owned());
                let mut out = Stdout::new("MARK", 1 << 10, Some(&heard));
                [&whole[..cut], &whole[cut..again], &whole[again..]].into_iter().for_each(|piece| out.push(piece));
                out.finish();
                assert_eq!(*lines.lock().unwrap(), ["is ***", "***.", "***==", "MARK!", "***"], "{cut} {again}");
            }
        }
    }

    #[test]
    fn neither_a_line_without_end_nor_a_start_without_end_takes_memory() {
        let lines = std::sync::Mutex::new(Vec::new());
        let heard = |_, line: &str| lines.lock().unwrap().push(line.to_owned());
        let mut out = Stdout::new("MARK", 1 << 10, Some(&heard));
        for start in ["x".repeat(100_000), "MARK pid 1\n".to_owned(), "y".repeat(100_000), "\nMARK ".to_owned()] {
            out.push(start.as_bytes());
            out.push("z".repeat(100_000).as_bytes());
            assert!(out.pending.len() <= 2 * LINE + 100_000 && out.line.len() < 2 * HEARD, "{}", out.pending.len());
        }
        out.push(b"\nshort\n\nMARK 0\n");
        out.finish();
        assert_eq!(out.trailer, Some(Trailer::Status(0)));
        let lines = lines.lock().unwrap();
        let long = lines.iter().map(String::len).max().unwrap();
        assert!(long == HEARD + 3 && lines.last().unwrap() == "short", "{long} {:?}", lines.len());
        assert!(out.kept.into_bytes().0.len() < 2 << 10);
    }
}
