//! A file that hosts read while it is written.
use crate::temporary::TemporaryFile;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Those that read a file while it is written.
pub(super) trait Readers {
    /// Names the file, of which they read only what was counted.
    fn opened(&self, file: File);

    /// Counts bytes that were written.
    fn grew(&self, bytes: usize);
}

/// A file that is being written.
pub(super) struct GrowingFile<'a> {
    pub file: TemporaryFile,
    readers: Option<&'a dyn Readers>,
}

impl<'a> GrowingFile<'a> {
    /// Begins a file in a folder.
    pub(super) fn new_in(folder: &Path, readers: Option<&'a dyn Readers>) -> io::Result<Self> {
        let file = TemporaryFile::make_in(folder)?;
        if let Some(readers) = readers {
            readers.opened(file.reopen()?);
        }
        Ok(Self { file, readers })
    }
}

impl Write for GrowingFile<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.file.write(piece)?;
        if let Some(readers) = self.readers {
            readers.grew(written);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
