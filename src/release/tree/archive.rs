//! A `.tar.gz` with the manifest and the tree of a release.
use super::{
    content::FileContent,
    counted::{Counted, CountedReading},
    encrypted::{SEARCHED, encryption, may_be_sops},
    export::Exported,
    fit::Item,
    lfs::BEGINNING,
    manifest::{Manifest, ManifestKind},
    packed::{OddFiles, Packed},
    source::TreeSource,
};
use crate::{
    git,
    release::error::{ReleaseError, TreeProblem},
};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use sha2::Digest;
use std::{
    io::{self, Read, Write},
    path::Path,
};
use tempfile::NamedTempFile;

/// An archive that is being written.
///
/// Who may read a release follows from its mode on the host; the temporary folder here is readable only by its owner.
pub(super) struct Archive<'a> {
    tree: &'a TreeSource,
    folder: &'a Path,
    tar: tar::Builder<Counted<GzEncoder<Counted<NamedTempFile>>>>,
    mtime: u64,
    room: u64,
    files: usize,
    encrypted: Vec<(String, String)>,
    pointers: Vec<String>,
}

impl<'a> Archive<'a> {
    /// Begins an archive of a tree, in a file in `folder`.
    pub(super) fn begin(tree: &'a TreeSource, folder: &'a Path) -> Result<Self, ReleaseError> {
        let file = NamedTempFile::new_in(folder).map_err(|e| unwritable(folder, &e))?;
        let gzip = GzBuilder::new().mtime(0).write(Counted::new(file), Compression::default());
        let mut tar = tar::Builder::new(Counted::new(gzip));
        let mtime = u64::try_from(tree.at()).unwrap_or(0);
        folder_into(&mut tar, "tree", mtime).map_err(|e| unwritable(folder, &e))?;
        Ok(Self { tree, folder, tar, mtime, room: 8192, files: 0, encrypted: Vec::new(), pointers: Vec::new() })
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
        let unread = |e: io::Error| ReleaseError::Git(git::GitError::Read(format!("`{path}`: {e}")));
        let FileContent { size, reader: mut content, pointer } = match FileContent::of(self.tree, file)? {
            Ok(content) => content,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut beginning = Vec::new();
        content.by_ref().take(BEGINNING).read_to_end(&mut beginning).map_err(unread)?;
        if pointer {
            self.pointers.push(path.to_owned());
        }
        let searched = size <= SEARCHED && may_be_sops(path);
        if searched {
            content.by_ref().read_to_end(&mut beginning).map_err(unread)?;
        }
        self.encrypted.extend(encryption(&beginning).map(|found| (path.to_owned(), found.tool().to_owned())));
        let mut content = CountedReading::new(beginning.chain(content).take(size + 1));
        let put = file_into(&mut self.tar, &format!("tree/{path}"), self.mtime, executable, size, &mut content);
        if let Some(e) = content.failed {
            return Err(unread(e));
        }
        put.map_err(|e| self.failed(&e))?;
        if content.bytes != size {
            return Err(unread(io::Error::other("it changed while it was read")));
        }
        self.room += size.next_multiple_of(4096);
        self.files += 1;
        Ok(Ok(ManifestKind::File { executable, size, sha256: hex::encode(content.sha256.finalize()) }))
    }

    /// Adds the manifest, and moves the archive to its final name.
    pub(super) fn finish(mut self, manifest: Manifest, hidden: Vec<String>) -> Result<Packed, ReleaseError> {
        let (folder, commit) = (self.folder, self.tree.commit());
        let failed = |e: io::Error| unwritable(folder, &e);
        let text = manifest.text();
        let size = text.len() as u64;
        file_into(&mut self.tar, "manifest", self.mtime, false, size, &mut text.as_bytes()).map_err(failed)?;
        let plain = self.tar.into_inner().map_err(failed)?;
        let tar_bytes = plain.bytes;
        let packed = plain.inner.finish().map_err(failed)?;
        let manifest_sha256 = manifest.digest();
        let archive = folder.join(format!("{commit}-{}.tar.gz", &manifest_sha256[..12]));
        let (archive_bytes, archive_sha256) = (packed.bytes, hex::encode(packed.sha256.finalize()));
        packed.inner.persist(&archive).map_err(|e| failed(e.error))?;
        let (room, files) = (self.room + size.next_multiple_of(4096), self.files);
        Ok(Packed {
            archive,
            archive_sha256,
            archive_bytes,
            tar_bytes,
            manifest,
            manifest_sha256,
            room,
            files,
            hidden,
            odd: OddFiles { encrypted: self.encrypted, pointers: self.pointers },
        })
    }

    fn failed(&self, e: &io::Error) -> ReleaseError {
        unwritable(self.folder, e)
    }
}

fn unwritable(folder: &Path, e: &io::Error) -> ReleaseError {
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

fn folder_into(tar: &mut tar::Builder<impl Write>, path: &str, mtime: u64) -> io::Result<()> {
    tar.append_data(&mut header(tar::EntryType::Directory, 0o755, 0, mtime), format!("{path}/"), io::empty())
}

fn file_into(
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
