//! A folder of this machine, used as a commit's tree.
use crate::{
    control::shown,
    git::{self, EntryKind, TreeEntry},
    release::error::{ReleaseError, TreeProblem},
};
use std::{
    fs,
    io::{self, Read},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

/// A folder of this machine, used as a commit's tree.
pub(super) struct FolderTree {
    top: PathBuf,
    pub commit: String,
    pub at: i64,
    pub entries: Vec<TreeEntry>,
}

impl FolderTree {
    /// Lists everything below a folder; refuses all but files, folders and links.
    pub(super) fn read(top: &Path, commit: &str, at: i64) -> Result<FolderTree, ReleaseError> {
        let mut folder = FolderTree { top: top.to_owned(), commit: commit.to_owned(), at, entries: Vec::new() };
        let mut odd = Vec::new();
        folder.collect(&[], &mut odd).map_err(|e| unread(top, &e))?;
        if odd.is_empty() { Ok(folder) } else { Err(ReleaseError::Unfit { commit: folder.commit, problems: odd }) }
    }

    fn collect(&mut self, above: &[u8], odd: &mut Vec<TreeProblem>) -> io::Result<()> {
        let mut names = fs::read_dir(self.place(above))?.collect::<io::Result<Vec<_>>>()?;
        names.sort_by_key(fs::DirEntry::file_name);
        for name in names {
            let slash: &[u8] = if above.is_empty() { b"" } else { b"/" };
            let path = [above, slash, name.file_name().as_bytes()].concat();
            let seen = name.metadata()?;
            let kind = match seen.file_type() {
                kind if kind.is_dir() => EntryKind::Folder,
                kind if kind.is_symlink() => EntryKind::Link,
                kind if kind.is_file() => EntryKind::File { executable: seen.permissions().mode() & 0o100 != 0 },
                _ => {
                    odd.push(TreeProblem::Odd(shown(&String::from_utf8_lossy(&path))));
                    continue;
                }
            };
            self.entries.push(TreeEntry { path: path.clone(), kind });
            if kind == EntryKind::Folder {
                self.collect(&path, odd)?;
            }
        }
        Ok(())
    }

    /// Reads a small file's content, or a link's target.
    pub(super) fn content(&self, entry: &TreeEntry) -> Result<Vec<u8>, git::GitError> {
        let place = self.place(&entry.path);
        let read = match entry.kind {
            EntryKind::Link => fs::read_link(&place).map(|target| target.into_os_string().as_bytes().to_vec()),
            _ => fs::read(&place),
        };
        read.map_err(|e| git::GitError::Read(format!("`{}`: {e}", place.display())))
    }

    /// Returns a file's length in bytes, and a reader of its content.
    pub(super) fn reader(&self, entry: &TreeEntry) -> Result<(u64, Box<dyn Read + '_>), git::GitError> {
        let place = self.place(&entry.path);
        let open = fs::File::open(&place).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = open.map_err(|e| git::GitError::Read(format!("`{}`: {e}", place.display())))?;
        Ok((size, Box::new(file)))
    }

    fn place(&self, path: &[u8]) -> PathBuf {
        self.top.join(std::ffi::OsStr::from_bytes(path))
    }
}

/// Makes the error for a folder that can't be read.
pub(super) fn unread(folder: &Path, e: &io::Error) -> ReleaseError {
    ReleaseError::Git(git::GitError::Read(format!("`{}`: {e}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::pack_folder;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_a_build_leaves_is_refused_where_a_release_cannot_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("/etc/passwd", at("out")).unwrap();
        let packed = |into: &Path| pack_folder(folder.path(), &"1".repeat(40), 0, &[], into);
        let into = tempfile::tempdir().unwrap();
        let said = packed(into.path()).unwrap_err().to_string();
        assert_eq!(said, "`111111111111` can't be released: the link `out` points outside the tree: `/etc/passwd`");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let said = packed(into.path()).unwrap_err().to_string();
        assert_eq!(said, "`111111111111` can't be released: `socket` is neither a file, a folder nor a link");
    }
}
