//! A compressed tar that is sent to hosts: a tree, or what an earlier release lacks of it.
use super::{
    archive::{file_into, folder_into, unwritable},
    cache,
    counted::{Counted, Digested},
    packing::Packing,
    patch::patch,
    pieces::Pieces,
    readers::{GrowingFile, Readers},
};
use crate::release::error::ReleaseError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A compressed tar that is ready to be sent. The same content gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// A tar that contains `manifest` and `tree/`; what else it may have is in `docs/release-format.md`.
    pub file: PathBuf,
    pub bytes: u64,
    /// Its length before compression.
    pub tar_bytes: u64,
    #[serde(default)]
    pub packing: Packing,
}

/// A parcel that is being written.
pub(super) struct ParcelWriter<'a> {
    folder: &'a Path,
    packing: Packing,
    compressed: Pieces<Counted<Digested<GrowingFile<'a>>>>,
}

impl<'a> ParcelWriter<'a> {
    /// Begins a parcel in a file in `folder`, which `readers` may read already.
    pub(super) fn begin(
        folder: &'a Path,
        packing: Packing,
        readers: Option<&'a dyn Readers>,
    ) -> Result<Self, ReleaseError> {
        let begun = GrowingFile::new_in(folder, readers)
            .and_then(|file| Pieces::begin(packing, Counted::new(Digested::new(file))))
            .map_err(|e| unwritable(folder, &e))?;
        Ok(Self { folder, packing, compressed: begun })
    }

    /// Moves the parcel to its final name, which follows from the commit, the files beside the tree, and what is patched.
    pub(super) fn persist(
        self,
        commit: &str,
        beside: &[(&str, &str)],
        patched: &str,
        tar_bytes: u64,
    ) -> Result<Parcel, ReleaseError> {
        let (folder, packing) = (self.folder, self.packing);
        let failed = |e: io::Error| unwritable(folder, &e);
        let packed = self.compressed.finish().map_err(failed)?;
        let of: String = beside.iter().map(|(_, text)| *text).chain([patched]).collect();
        let file = named(folder, commit, &hex::encode(Sha256::digest(of)), packing);
        let Counted { inner: Digested { inner, sha256 }, bytes } = packed;
        inner.file.persist(&file).map_err(failed)?;
        let parcel = Parcel { file, bytes, tar_bytes, packing };
        keep(&parcel, hex::encode(sha256.finalize()));
        Ok(parcel)
    }
}

/// What a parcel's file has.
#[derive(Serialize, Deserialize)]
struct KeptParcel {
    sha256: String,
    bytes: u64,
    tar_bytes: u64,
}

/// Keeps the digest of a parcel.
fn keep(parcel: &Parcel, sha256: String) {
    cache::write(&beside_it(&parcel.file), &KeptParcel { sha256, bytes: parcel.bytes, tar_bytes: parcel.tar_bytes });
}

impl Parcel {
    /// Finds a parcel that an earlier run made with the same files beside the tree, if it is undamaged.
    pub(super) fn kept(folder: &Path, commit: &str, texts: &[(&str, &str)], packing: Packing) -> Option<Parcel> {
        let of: String = texts.iter().map(|(_, text)| *text).collect();
        let file = named(folder, commit, &hex::encode(Sha256::digest(of)), packing);
        let KeptParcel { sha256, bytes, tar_bytes } = cache::read(&beside_it(&file))?;
        let mut digested = Digested::new(io::sink());
        io::copy(&mut File::open(&file).ok()?, &mut digested).ok()?;
        (hex::encode(digested.sha256.finalize()) == sha256).then_some(())?;
        for used in [&file, &beside_it(&file)] {
            cache::touch(used).ok()?;
        }
        Some(Parcel { file, bytes, tar_bytes, packing })
    }
}

/// Returns the file about a parcel.
fn beside_it(parcel: &Path) -> PathBuf {
    let mut name = parcel.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Returns the name of a parcel; `digest` is that of the files beside the tree.
pub(super) fn named(folder: &Path, commit: &str, digest: &str, packing: Packing) -> PathBuf {
    folder.join(format!("{commit}-{}.{}", &digest[..12], packing.ending()))
}

impl Write for ParcelWriter<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.compressed.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.compressed.flush()
    }
}

impl Parcel {
    /// Returns whether the file exists and is complete.
    pub(super) fn is_whole(&self) -> bool {
        std::fs::metadata(&self.file).is_ok_and(|seen| seen.len() == self.bytes)
    }

    /// Calls `each` with the tar's entries below `tree/`, by their path there.
    fn entries(
        &self,
        mut each: impl FnMut(&str, &mut tar::Entry<'_, Box<dyn Read>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut tar = tar::Archive::new(self.packing.open(File::open(&self.file)?)?);
        for entry in tar.entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if let Some(name) = path.strip_prefix("tree/") {
                each(name.trim_end_matches('/'), &mut entry)?;
            }
        }
        Ok(())
    }

    /// Returns the content of a file of the tree, if it is there.
    pub(super) fn content(&self, path: &str) -> Option<Vec<u8>> {
        let mut found = None;
        let read = self.entries(|name, entry| {
            if name == path {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                found = Some(content);
            }
            Ok(())
        });
        read.ok().and(found)
    }

    /// Makes a parcel with some names of this one's tree, in a file in `folder`.
    pub(super) fn part(
        &self,
        contents: &Contents<'_>,
        folder: &Path,
        packing: Packing,
    ) -> Result<Parcel, ReleaseError> {
        let failed = |e: io::Error| unwritable(folder, &e);
        let mut tar = tar::Builder::new(Counted::new(ParcelWriter::begin(folder, packing, contents.readers)?));
        let (mut mtime, mut patches) = (0, Patches::default());
        let copied = self.entries(|name, entry| {
            mtime = entry.header().mtime()?;
            if name.is_empty() || !(contents.wanted)(name) {
                return Ok(());
            }
            let mut header = entry.header().clone();
            if let Some(earlier) = (contents.earlier)(name) {
                let mut new = Vec::new();
                entry.read_to_end(&mut new)?;
                let made = patch(&earlier, &new)?;
                header.set_size(made.as_ref().unwrap_or(&new).len() as u64);
                let at = if made.is_some() { patches.add(name) } else { format!("tree/{name}") };
                return tar.append_data(&mut header, at, &*made.unwrap_or(new));
            }
            let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
            match target.filter(|_| header.entry_type().is_symlink()) {
                Some(target) => tar.append_link(&mut header, format!("tree/{name}"), target),
                None => tar.append_data(&mut header, format!("tree/{name}"), entry),
            }
        });
        copied.map_err(failed)?;
        folder_into(&mut tar, "tree", mtime).map_err(failed)?;
        let beside = [&contents.beside[..], &patches.beside()].concat();
        for (name, text) in &beside {
            file_into(&mut tar, name, mtime, false, text.len() as u64, &mut text.as_bytes()).map_err(failed)?;
        }
        let counted = tar.into_inner().map_err(failed)?;
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        counted.inner.persist(name.split('-').next().unwrap_or_default(), &beside, &contents.patched, counted.bytes)
    }
}

/// What goes into a parcel.
pub(super) struct Contents<'a> {
    /// Whether a name of the tree is in it.
    pub wanted: &'a dyn Fn(&str) -> bool,
    /// Returns the earlier content of a file that is patched.
    pub earlier: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// What tells the earlier files apart that are patched; nothing if none is.
    pub patched: String,
    /// Files beside the tree.
    pub beside: Vec<(&'a str, &'a str)>,
    /// Those that read the parcel while it is written.
    pub readers: Option<&'a dyn Readers>,
}

/// The patches in a parcel: `patch/N` each, and a list of the files that they make.
#[derive(Default)]
pub(super) struct Patches {
    list: String,
    count: usize,
}

impl Patches {
    /// Adds a patched file; returns where its patch goes.
    pub(super) fn add(&mut self, path: &str) -> String {
        self.count += 1;
        self.list += &format!("{}\t./{path}\n", self.count);
        format!("patch/{}", self.count)
    }

    /// Returns the list as a file beside the tree, if there is any patch.
    pub(super) fn beside(&self) -> Vec<(&str, &str)> {
        if self.count == 0 { Vec::new() } else { vec![("patches", &self.list)] }
    }
}
