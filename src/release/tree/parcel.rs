//! A compressed tar that is sent to hosts: a tree, or what an earlier release lacks of it.
use super::{
    archive::{file_into, folder_into, unwritable},
    counted::Counted,
};
use crate::release::error::ReleaseError;
use flate2::{Compression, GzBuilder, bufread::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A compressed tar that is ready to be sent. The same content gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// A `.tar.gz` that contains `manifest` and `tree/`.
    pub file: PathBuf,
    pub bytes: u64,
    /// Its length before compression.
    pub tar_bytes: u64,
}

/// A parcel that is being written.
pub(super) struct ParcelWriter<'a> {
    folder: &'a Path,
    gzip: GzEncoder<Counted<NamedTempFile>>,
}

impl<'a> ParcelWriter<'a> {
    /// Begins a parcel in a file in `folder`.
    pub(super) fn begin(folder: &'a Path) -> Result<Self, ReleaseError> {
        let file = NamedTempFile::new_in(folder).map_err(|e| unwritable(folder, &e))?;
        Ok(Self { folder, gzip: GzBuilder::new().mtime(0).write(Counted::new(file), Compression::default()) })
    }

    /// Moves the parcel to its final name, which follows from the commit and the files beside the tree.
    pub(super) fn persist(
        self,
        commit: &str,
        beside: &[(&str, &str)],
        tar_bytes: u64,
    ) -> Result<Parcel, ReleaseError> {
        let folder = self.folder;
        let failed = |e: io::Error| unwritable(folder, &e);
        let packed = self.gzip.finish().map_err(failed)?;
        let of: String = beside.iter().map(|(_, text)| *text).collect();
        let file = folder.join(format!("{commit}-{}.tar.gz", &hex::encode(Sha256::digest(of))[..12]));
        packed.inner.persist(&file).map_err(|e| failed(e.error))?;
        Ok(Parcel { file, bytes: packed.bytes, tar_bytes })
    }
}

impl Write for ParcelWriter<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.gzip.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gzip.flush()
    }
}

impl Parcel {
    /// Returns whether the file exists and is complete.
    pub(super) fn is_whole(&self) -> bool {
        std::fs::metadata(&self.file).is_ok_and(|seen| seen.len() == self.bytes)
    }

    /// Makes a parcel with some names of this one's tree and other files beside it, in a file in `folder`.
    pub(super) fn part(
        &self,
        wanted: impl Fn(&str) -> bool,
        beside: &[(&str, &str)],
        folder: &Path,
    ) -> Result<Parcel, ReleaseError> {
        let failed = |e: io::Error| unwritable(folder, &e);
        let mut tar = tar::Builder::new(Counted::new(ParcelWriter::begin(folder)?));
        let gzip = GzDecoder::new(BufReader::new(File::open(&self.file).map_err(failed)?));
        let mut whole = tar::Archive::new(gzip);
        let mut mtime = 0;
        for entry in whole.entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            mtime = entry.header().mtime().map_err(failed)?;
            let Some(name) = path.strip_prefix("tree/").filter(|name| wanted(name.trim_end_matches('/'))) else {
                continue;
            };
            let mut header = entry.header().clone();
            let at = format!("tree/{name}");
            match entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned()) {
                Some(target) if header.entry_type().is_symlink() => tar.append_link(&mut header, at, target),
                _ => tar.append_data(&mut header, at, &mut entry),
            }
            .map_err(failed)?;
        }
        folder_into(&mut tar, "tree", mtime).map_err(failed)?;
        for (name, text) in beside {
            file_into(&mut tar, name, mtime, false, text.len() as u64, &mut text.as_bytes()).map_err(failed)?;
        }
        let counted = tar.into_inner().map_err(failed)?;
        let commit = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        counted.inner.persist(commit.split('-').next().unwrap_or_default(), beside, counted.bytes)
    }
}
