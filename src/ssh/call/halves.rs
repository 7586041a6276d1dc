//! The start and the end of a long output.
use std::collections::VecDeque;

/// The first and the last half of some bytes.
pub struct Halves {
    half: usize,
    first: Vec<u8>,
    last: VecDeque<u8>,
    cut: u64,
}

impl Halves {
    /// Makes halves that keep at most `keep` bytes.
    pub fn new(keep: usize) -> Self {
        Self { half: keep / 2, first: Vec::new(), last: VecDeque::new(), cut: 0 }
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..room]);
        let rest = &bytes[room..];
        self.last.extend(rest);
        let over = self.last.len().saturating_sub(self.half);
        self.last.drain(..over);
        self.cut += over as u64;
    }

    /// Returns the bytes, with a mark where some were left out, and whether any were.
    pub fn into_bytes(self) -> (Vec<u8>, bool) {
        let Halves { mut first, last, cut, .. } = self;
        if cut > 0 {
            first.extend_from_slice(format!("\n… {cut} bytes left out …\n").as_bytes());
        }
        first.extend(last);
        (first, cut > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_output_keeps_its_two_halves() {
        let mut halves = Halves::new(8);
        for byte in b"0123456789" {
            halves.push(&[*byte]);
        }
        let (bytes, cut) = halves.into_bytes();
        assert_eq!((&*String::from_utf8(bytes).unwrap(), cut), ("0123\n… 2 bytes left out …\n6789", true));
    }
}
