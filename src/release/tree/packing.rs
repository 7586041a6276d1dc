//! How parcels are compressed.
use super::counted::{Counted, Digested};
use crate::temporary::TemporaryFile;
use flate2::{Compression, GzBuilder, bufread::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
};

/// What a host can unpack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    #[default]
    Gzip,
    Zstd,
}

/// The level of zstd: about as fast as the network of a data center on one core.
const LEVEL: i32 = 6;

/// The file itself, counted and digested as it is written.
type CompressedFile = Counted<Digested<TemporaryFile>>;

/// A compressed file that is being written.
pub(super) enum Compressed {
    Gzip(GzEncoder<CompressedFile>),
    Zstd(zstd::Encoder<'static, CompressedFile>),
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

    /// Begins a compressed file. The same content gives the same bytes.
    pub(super) fn begin(self, file: TemporaryFile) -> io::Result<Compressed> {
        let file = Counted::new(Digested::new(file));
        Ok(match self {
            Packing::Gzip => Compressed::Gzip(GzBuilder::new().mtime(0).write(file, Compression::default())),
            Packing::Zstd => Compressed::Zstd(zstd::Encoder::new(file, LEVEL)?),
        })
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

impl Compressed {
    /// Completes the file.
    pub(super) fn finish(self) -> io::Result<CompressedFile> {
        match self {
            Compressed::Gzip(gzip) => gzip.finish(),
            Compressed::Zstd(zstd) => zstd.finish(),
        }
    }
}

impl Write for Compressed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Compressed::Gzip(gzip) => gzip.write(piece),
            Compressed::Zstd(zstd) => zstd.write(piece),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Compressed::Gzip(gzip) => gzip.flush(),
            Compressed::Zstd(zstd) => zstd.flush(),
        }
    }
}
