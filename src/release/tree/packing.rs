//! How parcels are compressed.
use flate2::bufread::GzDecoder;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufReader, Read},
};

/// What a host can unpack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    #[default]
    Gzip,
    Zstd,
}

impl Packing {
    /// Returns the name of the program that unpacks it.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// Returns how the name of such a file ends.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Packing::Gzip => "tar.gz",
            Packing::Zstd => "tar.zst",
        }
    }

    /// Returns the size of a piece that is compressed apart from the others. A piece of zstd is a frame, and doesn't use
    /// what came before.
    pub(super) fn piece(self) -> usize {
        match self {
            Packing::Gzip => 256 << 10,
            Packing::Zstd => 4 << 20,
        }
    }

    /// Returns how many threads compress at most. Their pieces, and zstd's tables, are in memory.
    pub(super) fn threads(self) -> usize {
        match self {
            Packing::Gzip => 4,
            Packing::Zstd => 2,
        }
    }

    /// Reads a compressed file.
    pub(super) fn open(self, file: File) -> io::Result<Box<dyn Read>> {
        let file = BufReader::new(file);
        Ok(match self {
            Packing::Gzip => Box::new(GzDecoder::new(file)),
            Packing::Zstd => Box::new(zstd::Decoder::with_buffer(file)?),
        })
    }
}
