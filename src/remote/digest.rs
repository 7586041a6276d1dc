//! The digest of a file of this machine.
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// Returns a file's sha256 in hex, and how many bytes it has.
pub fn digest(file: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hasher, mut bytes) = (fs::File::open(file)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(hasher.finalize()), bytes)),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}
