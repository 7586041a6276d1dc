//! A tar with the tree of a release.
use super::{
    content::FileContent,
    counted::{Counted, CountedReading},
    encrypted::{SEARCHED, encryption, may_be_sops},
    export::Exported,
    fit::Item,
    known_blobs::{BlobFacts, KnownBlobs},
    lfs::BEGINNING,
    manifest::ManifestKind,
    odd::OddFiles,
    source::TreeSource,
};
use crate::{
    git,
    release::error::{ReleaseError, TreeProblem},
};
use sha2::Digest;
use std::{
    io::{self, Read, Write},
    path::Path,
};

/// A tar that is being written.
///
/// Who may read a release follows from its mode on the host; the temporary folder here is readable only by its owner.
pub(super) struct Archive<'a, W: Write> {
    tree: &'a TreeSource,
    folder: &'a Path,
    tar: tar::Builder<Counted<W>>,
    /// What is known of files that needn't be read, because only the length of the tar matters.
    blobs: Option<&'a mut KnownBlobs>,
    mtime: u64,
    room: u64,
    files: usize,
    encrypted: Vec<(String, String)>,
    pointers: Vec<String>,
}

/// A tar that is complete, and what was seen while it was written.
pub(super) struct Finished<W> {
    pub into: W,
    pub tar_bytes: u64,
    /// The space that the tree takes on a disk, in bytes, in blocks of 4 KiB.
    pub room: u64,
    pub files: usize,
    pub odd: OddFiles,
}

impl<'a> Archive<'a, io::Sink> {
    /// Begins a tar of which only the length matters.
    pub(super) fn measured(
        tree: &'a TreeSource,
        folder: &'a Path,
        blobs: &'a mut KnownBlobs,
    ) -> Result<Self, ReleaseError> {
        Self::with(tree, folder, io::sink(), Some(blobs))
    }
}

impl<'a, W: Write> Archive<'a, W> {
    /// Begins a tar of a tree; errors name the `folder` that it is written to.
    pub(super) fn begin(tree: &'a TreeSource, folder: &'a Path, into: W) -> Result<Self, ReleaseError> {
        Self::with(tree, folder, into, None)
    }

    fn with(
        tree: &'a TreeSource,
        folder: &'a Path,
        into: W,
        blobs: Option<&'a mut KnownBlobs>,
    ) -> Result<Self, ReleaseError> {
        let mut tar = tar::Builder::new(Counted::new(into));
        let mtime = u64::try_from(tree.at()).unwrap_or(0);
        folder_into(&mut tar, "tree", mtime).map_err(|e| unwritable(folder, &e))?;
        let (encrypted, pointers) = (Vec::new(), Vec::new());
        Ok(Self { tree, folder, tar, blobs, mtime, room: 8192, files: 0, encrypted, pointers })
    }

    /// Adds a name; returns its entry for the manifest, or why it can't be released.
    pub(super) fn add(
        &mut self,
        path: &str,
        item: Item<'_>,
    ) -> Result<Result<ManifestKind, TreeProblem>, ReleaseError> {
        let at = format!("tree/{path}");
        let what = match item {
            Item::File(file, executable) => return self.file(path, file, executable),
            Item::Missing(problem) => return Ok(Err(problem)),
            Item::Folder => {
                folder_into(&mut self.tar, &at, self.mtime).map_err(|e| self.failed(&e))?;
                ManifestKind::Folder
            }
            Item::Link(target) => {
                link_into(&mut self.tar, &at, self.mtime, &target).map_err(|e| self.failed(&e))?;
                ManifestKind::Link { target }
            }
            Item::Shared(what) => {
                if let ManifestKind::SharedFolder { target } | ManifestKind::SharedFile { target } = &what {
                    link_into(&mut self.tar, &at, self.mtime, target).map_err(|e| self.failed(&e))?;
                }
                what
            }
        };
        self.room += 4096;
        Ok(Ok(what))
    }

    fn file(
        &mut self,
        path: &str,
        file: Exported<'_>,
        executable: bool,
    ) -> Result<Result<ManifestKind, TreeProblem>, ReleaseError> {
        let plain = !(file.substituted && self.tree.substitutes());
        let id = self.blobs.as_ref().filter(|_| plain).and_then(|_| self.tree.blob_id(file.entry));
        let searched = may_be_sops(path);
        if let (Some(blobs), Some(id)) = (&mut self.blobs, &id)
            && let Some(blob) = blobs.find(id, searched)
        {
            let zeros = &mut io::repeat(0).take(blob.size);
            file_into(&mut self.tar, &format!("tree/{path}"), self.mtime, executable, blob.size, zeros)
                .map_err(|e| self.failed(&e))?;
            return Ok(Ok(self.added(path, executable, blob)));
        }
        let content = match FileContent::of(self.tree, file)? {
            Ok(content) => content,
            Err(problem) => return Ok(Err(problem)),
        };
        let committed = content.committed;
        if content.pointer {
            self.pointers.push(path.to_owned());
        }
        let blob = self.read(path, content, searched, executable)?;
        if let (Some(blobs), Some(id), true) = (&mut self.blobs, id, committed) {
            blobs.add(id, blob.clone());
        }
        Ok(Ok(self.added(path, executable, blob)))
    }

    /// Puts a file's content into the tar.
    fn read(
        &mut self,
        path: &str,
        content: FileContent<'_>,
        searched: bool,
        executable: bool,
    ) -> Result<BlobFacts, ReleaseError> {
        let unread = |e: io::Error| ReleaseError::Git(git::GitError::Read(format!("`{path}`: {e}")));
        let FileContent { size, reader: mut content, .. } = content;
        let mut beginning = Vec::new();
        content.by_ref().take(BEGINNING).read_to_end(&mut beginning).map_err(unread)?;
        if searched && size <= SEARCHED {
            content.by_ref().read_to_end(&mut beginning).map_err(unread)?;
        }
        let encrypted = encryption(&beginning).map(|found| found.tool().to_owned());
        let mut content = CountedReading::new(beginning.chain(content).take(size + 1));
        let put = file_into(&mut self.tar, &format!("tree/{path}"), self.mtime, executable, size, &mut content);
        if let Some(e) = content.failed {
            return Err(unread(e));
        }
        put.map_err(|e| self.failed(&e))?;
        if content.bytes != size {
            return Err(unread(io::Error::other("it changed while it was read")));
        }
        Ok(BlobFacts { size, sha256: hex::encode(content.sha256.finalize()), encrypted, searched })
    }

    fn added(&mut self, path: &str, executable: bool, blob: BlobFacts) -> ManifestKind {
        let BlobFacts { size, sha256, encrypted, .. } = blob;
        self.encrypted.extend(encrypted.map(|tool| (path.to_owned(), tool)));
        self.room += size.next_multiple_of(4096);
        self.files += 1;
        ManifestKind::File { executable, size, sha256 }
    }

    /// Adds the patch of a file.
    pub(super) fn add_patch(&mut self, at: &str, executable: bool, patch: &[u8]) -> Result<(), ReleaseError> {
        let size = patch.len() as u64;
        file_into(&mut self.tar, at, self.mtime, executable, size, &mut &*patch).map_err(|e| self.failed(&e))
    }

    /// Adds files beside the tree, each with its name, and ends the tar.
    pub(super) fn finish(mut self, beside: &[(&str, &str)]) -> Result<Finished<W>, ReleaseError> {
        let folder = self.folder;
        let failed = |e: io::Error| unwritable(folder, &e);
        for (name, text) in beside {
            let size = text.len() as u64;
            file_into(&mut self.tar, name, self.mtime, false, size, &mut text.as_bytes()).map_err(failed)?;
            self.room += size.next_multiple_of(4096);
        }
        let counted = self.tar.into_inner().map_err(failed)?;
        let (into, tar_bytes) = (counted.inner, counted.bytes);
        let odd = OddFiles { encrypted: self.encrypted, pointers: self.pointers };
        Ok(Finished { into, tar_bytes, room: self.room, files: self.files, odd })
    }

    fn failed(&self, e: &io::Error) -> ReleaseError {
        unwritable(self.folder, e)
    }
}

/// Makes the error for a folder that an archive can't be written to.
pub(super) fn unwritable(folder: &Path, e: &io::Error) -> ReleaseError {
    ReleaseError::Write { folder: folder.display().to_string(), why: e.to_string() }
}

fn header(kind: tar::EntryType, mode: u32, size: u64, mtime: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(mtime);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Appends a folder to a tar.
pub(super) fn folder_into(tar: &mut tar::Builder<impl Write>, path: &str, mtime: u64) -> io::Result<()> {
    tar.append_data(&mut header(tar::EntryType::Directory, 0o755, 0, mtime), format!("{path}/"), io::empty())
}

/// Appends a file to a tar.
pub(super) fn file_into(
    tar: &mut tar::Builder<impl Write>,
    path: &str,
    mtime: u64,
    executable: bool,
    size: u64,
    content: &mut dyn Read,
) -> io::Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    tar.append_data(&mut header(tar::EntryType::Regular, mode, size, mtime), path, content)
}

fn link_into(tar: &mut tar::Builder<impl Write>, path: &str, mtime: u64, target: &str) -> io::Result<()> {
    tar.append_link(&mut header(tar::EntryType::Symlink, 0o777, 0, mtime), path, target)
}
