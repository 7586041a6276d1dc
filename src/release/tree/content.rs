//! The content of a file of a release: as it was committed, as git-lfs keeps it, or with its placeholders substituted.
use super::{
    export::Exported,
    lfs::{BEGINNING, Pointer, is_lfs},
    part::Root,
    source::TreeSource,
};
use crate::{
    control::shown,
    git::{self, GitError, Substitution, TreeEntry},
    release::error::TreeProblem,
};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::PathBuf,
};

/// The content of a file.
pub(super) struct FileContent<'a> {
    pub size: u64,
    pub reader: Box<dyn Read + 'a>,
    /// Whether it is what was committed, whatever the attributes and the place of the file.
    pub committed: bool,
    /// Whether it is a pointer of git-lfs that no attribute makes one, so that it is released as it is.
    pub pointer: bool,
}

impl<'a> FileContent<'a> {
    /// Opens the content of a file, or returns why it can't be released.
    pub(super) fn of(source: &'a TreeSource, file: Exported<'a>) -> Result<Result<Self, TreeProblem>, GitError> {
        let made = |size, reader| FileContent { size, reader, committed: false, pointer: false };
        let (size, mut reader) = source.reader(file.entry)?;
        if file.substituted && source.substitutes() {
            let content = substituted(source, file.entry)?;
            if let Some(content) = content {
                return Ok(Ok(made(content.len() as u64, Box::new(Cursor::new(content)))));
            }
        }
        if size >= BEGINNING {
            return Ok(Ok(FileContent { size, reader, committed: true, pointer: false }));
        }
        let mut text = Vec::new();
        let unread = |e: io::Error| GitError::Read(format!("`{}`: {e}", path(file.entry)));
        reader.by_ref().take(BEGINNING).read_to_end(&mut text).map_err(unread)?;
        let root = source.root(file.entry);
        if !is_lfs(&text) || (root.is_some() && !file.large) {
            let pointer = is_lfs(&text);
            return Ok(Ok(FileContent { size, reader: Box::new(Cursor::new(text)), committed: !pointer, pointer }));
        }
        let Some(pointer) = Pointer::parse(&text) else {
            return Ok(Err(TreeProblem::Pointer(path(file.entry))));
        };
        let Some((root, _)) = root else {
            return Ok(Err(TreeProblem::Bare(path(file.entry))));
        };
        Ok(match stored(root, &pointer) {
            Some(reader) => Ok(made(pointer.size, reader)),
            None => {
                let fetch = git::fetch_large_by_hand(root.tree.repository(), &root.tree.commit);
                Err(TreeProblem::Large { path: path(file.entry), fetch })
            }
        })
    }
}

fn path(entry: &TreeEntry) -> String {
    shown(&String::from_utf8_lossy(&entry.path))
}

/// Returns the content of a file that has something to substitute.
fn substituted(source: &TreeSource, entry: &TreeEntry) -> Result<Option<Vec<u8>>, GitError> {
    let Some((root, own)) = source.root(entry) else { return Ok(None) };
    let Root { tree, substitution, .. } = root;
    if !git::has_placeholder(tree, &own)? {
        return Ok(None);
    }
    if substitution.get().is_none() {
        let _ = substitution.set(Substitution::of(tree.repository(), &tree.commit, root.is_submodule())?);
    }
    substitution.get().expect("it was set").content(&own).map(Some)
}

/// Opens what a pointer points to, if this machine has it whole.
fn stored(root: &Root, pointer: &Pointer) -> Option<Box<dyn Read>> {
    if pointer.size == 0 {
        return Some(Box::new(DigestReader::of(io::empty(), pointer)));
    }
    let places = root.stores.iter().map(|store| -> PathBuf { store.join(pointer.place()) });
    let whole = |place: PathBuf| {
        let file = File::open(place).ok()?;
        let seen = file.metadata().ok()?;
        (seen.is_file() && seen.len() == pointer.size).then_some(file)
    };
    let file = places.into_iter().find_map(whole)?;
    Some(Box::new(DigestReader::of(file, pointer)))
}

/// A reader that fails at the end if the content isn't what a pointer points to.
struct DigestReader<R> {
    inner: R,
    sha256: Sha256,
    wanted: String,
}

impl<R> DigestReader<R> {
    fn of(inner: R, pointer: &Pointer) -> Self {
        DigestReader { inner, sha256: Sha256::new(), wanted: pointer.sha256.clone() }
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(piece)?;
        self.sha256.update(&piece[..read]);
        if read == 0 && !piece.is_empty() && hex::encode(self.sha256.clone().finalize()) != self.wanted {
            return Err(io::Error::other("git-lfs has a damaged copy of it; `git lfs fsck` names damaged copies"));
        }
        Ok(read)
    }
}
