//! The digest of a file on this machine.
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Returns the sha256 in hex of everything that can be read, and its length in bytes.
pub fn digest(from: &mut impl Read) -> io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hex::encode(hasher.finalize()), bytes)),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}
