//! Hears output line by line.
use super::bytes::line_end;
use crate::{event::Stream, port::LineSink};

/// The most bytes of a line that are heard; a longer line ends with `…`.
pub(super) const HEARD: usize = 64 << 10;

/// Hears whole lines; the rest stays in `line`.
pub fn hear(line: &mut Vec<u8>, mut bytes: &[u8], stream: Stream, heard: Option<&LineSink<'_>>) {
    if heard.is_none() {
        return;
    }
    while !bytes.is_empty() {
        let end = line_end(bytes);
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        let room = HEARD.saturating_sub(line.len());
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room && line.len() == HEARD {
            line.extend_from_slice("…".as_bytes());
        }
        match end {
            Some(end) => {
                say(&std::mem::take(line), stream, heard);
                bytes = &bytes[end + 1..];
            }
            None => return,
        }
    }
}

/// Hears the rest of the last line.
pub fn flush(line: &mut Vec<u8>, stream: Stream, heard: Option<&LineSink<'_>>) {
    if !line.is_empty() {
        let text = std::mem::take(line);
        say(&text, stream, heard);
    }
}

fn say(line: &[u8], stream: Stream, heard: Option<&LineSink<'_>>) {
    if let Some(heard) = heard {
        heard(stream, &String::from_utf8_lossy(line));
    }
}
