//! Finds lines and marks in bytes.
use std::io::BufRead as _;

/// The longest line of the wrapper, in bytes.
pub(super) const LINE: usize = 8 << 10;

/// Returns where the first line of some bytes ends, if it does.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    // The standard library finds a byte much faster than an iterator does, which matters for gigabytes.
    let length = rest.skip_until(b'\n').unwrap_or(0);
    (length > 0 && bytes[length - 1] == b'\n').then(|| length - 1)
}

/// Returns where `what` starts, which is short and has a rare first byte.
pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let mut rest = &bytes[at..];
        let length = rest.skip_until(what[0]).unwrap_or(0);
        if length == 0 || bytes[at + length - 1] != what[0] {
            return None;
        }
        at += length;
        if bytes[at - 1..].starts_with(what) {
            return Some(at - 1);
        }
    }
}
