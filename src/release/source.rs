//! What a release's tree is read from: a commit, or a folder of this machine.
use super::error::{Error, Problem};
use crate::git::{self, Entry, EntryKind};
use std::{
    fs,
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

/// A tree whose names and contents can be read.
pub(super) enum Source {
    Commit(git::Tree),
    Folder(Folder),
}

impl Source {
    /// The commit whose release it becomes.
    pub fn commit(&self) -> &str {
        match self {
            Source::Commit(tree) => &tree.commit,
            Source::Folder(folder) => &folder.commit,
        }
    }

    /// The time that its files get, in seconds since 1970.
    pub fn at(&self) -> i64 {
        match self {
            Source::Commit(tree) => tree.at,
            Source::Folder(folder) => folder.at,
        }
    }

    /// Folders before what is in them.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Source::Commit(tree) => &tree.entries,
            Source::Folder(folder) => &folder.entries,
        }
    }

    /// Reads what a small file holds, or where a link leads.
    pub fn content(&self, entry: &Entry) -> Result<Vec<u8>, git::Error> {
        match self {
            Source::Commit(tree) => tree.content(entry),
            Source::Folder(folder) => folder.content(entry),
        }
    }

    /// How many bytes a file has, and its content piece by piece.
    pub fn reader(&self, entry: &Entry) -> Result<(u64, Box<dyn Read + '_>), git::Error> {
        match self {
            Source::Commit(tree) => tree.reader(entry),
            Source::Folder(folder) => folder.reader(entry),
        }
    }
}

/// A folder of this machine, taken for a commit's tree.
pub(super) struct Folder {
    top: PathBuf,
    commit: String,
    at: i64,
    entries: Vec<Entry>,
}

impl Folder {
    /// Lists all that is below a folder; what is neither a file, a folder nor a link is refused.
    pub fn read(top: &Path, commit: &str, at: i64) -> Result<Folder, Error> {
        let mut folder = Folder { top: top.to_owned(), commit: commit.to_owned(), at, entries: Vec::new() };
        let mut odd = Vec::new();
        folder.collect(&[], &mut odd).map_err(|e| unread(top, &e))?;
        if odd.is_empty() { Ok(folder) } else { Err(Error::Unfit { commit: folder.commit, problems: odd }) }
    }

    fn collect(&mut self, above: &[u8], odd: &mut Vec<Problem>) -> io::Result<()> {
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
                    odd.push(Problem::Odd(String::from_utf8_lossy(&path).escape_debug().to_string()));
                    continue;
                }
            };
            self.entries.push(Entry { path: path.clone(), kind });
            if kind == EntryKind::Folder {
                self.collect(&path, odd)?;
            }
        }
        Ok(())
    }

    fn content(&self, entry: &Entry) -> Result<Vec<u8>, git::Error> {
        let place = self.place(&entry.path);
        let read = match entry.kind {
            EntryKind::Link => fs::read_link(&place).map(|target| target.into_os_string().as_bytes().to_vec()),
            _ => fs::read(&place),
        };
        read.map_err(|e| git::Error::Read(format!("`{}`: {e}", place.display())))
    }

    fn reader(&self, entry: &Entry) -> Result<(u64, Box<dyn Read + '_>), git::Error> {
        let place = self.place(&entry.path);
        let open = fs::File::open(&place).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = open.map_err(|e| git::Error::Read(format!("`{}`: {e}", place.display())))?;
        Ok((size, Box::new(file)))
    }

    fn place(&self, path: &[u8]) -> PathBuf {
        self.top.join(std::ffi::OsStr::from_bytes(path))
    }
}

fn unread(folder: &Path, e: &io::Error) -> Error {
    Error::Git(git::Error::Read(format!("`{}`: {e}", folder.display())))
}

/// Writes a commit's tree into a folder that it makes, as `git checkout` would, but for what a build would not notice
/// the lack of: submodules and git-lfs pointers are refused, unless `export-ignore` leaves them out.
pub(super) fn check_out(tree: git::Tree, folder: &Path) -> Result<(), Error> {
    let source = Source::Commit(tree);
    let mut problems = Vec::new();
    for entry in super::pack::exported(&source)? {
        let shown = || String::from_utf8_lossy(&entry.path).escape_debug().to_string();
        match entry.kind {
            EntryKind::Submodule => problems.push(Problem::Submodule(shown())),
            EntryKind::File { .. } => {
                let mut beginning = Vec::new();
                let (_, content) = source.reader(entry)?;
                content.take(super::pack::BEGINNING).read_to_end(&mut beginning).map_err(|e| unread(folder, &e))?;
                if super::pack::is_lfs(&beginning) {
                    problems.push(Problem::Lfs(shown()));
                }
            }
            _ => {}
        }
    }
    if let Some(wrong) = source.entries().iter().find_map(|entry| super::check::name(&entry.path).err()) {
        problems.push(wrong);
    }
    if !problems.is_empty() {
        return Err(Error::Unfit { commit: source.commit().to_owned(), problems });
    }
    let failed = |e: io::Error| Error::Write { folder: folder.display().to_string(), why: e.to_string() };
    let make = |at: &Path| fs::DirBuilder::new().mode(0o755).create(at);
    make(folder).map_err(failed)?;
    for entry in source.entries() {
        let at = folder.join(std::ffi::OsStr::from_bytes(&entry.path));
        // Nothing is written through what stands there already: a tree made by hand may have a name twice.
        let made = match entry.kind {
            EntryKind::Folder | EntryKind::Submodule => make(&at),
            EntryKind::Link => {
                let target = source.content(entry)?;
                std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(&target), &at)
            }
            EntryKind::File { executable } => {
                let mode = if executable { 0o755 } else { 0o644 };
                let open = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&at);
                let (_, mut content) = source.reader(entry)?;
                open.and_then(|mut file| io::copy(&mut content, &mut file)).map(drop)
            }
        };
        made.map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        git::{Tree, sample::Sample},
        release::{pack, pack_folder},
    };
    use std::os::unix::fs::symlink;

    fn checked_out(sample: &Sample, commit: &str) -> Result<(tempfile::TempDir, PathBuf), Error> {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("tree");
        check_out(Tree::read(&sample.repository(), commit).unwrap(), &folder)?;
        Ok((outer, folder))
    }

    #[test]
    fn a_commit_that_is_checked_out_and_packed_from_its_folder_is_the_same_release() {
        let sample = Sample::new();
        sample.write("bin/run", b"#!/bin/sh\n");
        sample.make_executable("bin/run");
        sample.write("docs/x", b"not released, but built from");
        sample.write(".gitattributes", b"docs export-ignore\n");
        symlink("bin/run", sample.work.join("start")).unwrap();
        let commit = sample.commit_all();
        let (outer, folder) = checked_out(&sample, &commit).unwrap();
        assert!(folder.join("docs/x").exists());
        let at = Tree::read(&sample.repository(), &commit).unwrap().at;
        let linked = ["log".to_owned()];
        let of_folder = pack_folder(&folder, &commit, at, &linked, outer.path()).unwrap();
        assert_eq!(of_folder, pack(&sample.repository(), &commit, &linked, outer.path()).unwrap());
        fs::write(folder.join("built.js"), "1").unwrap();
        fs::create_dir(folder.join("empty")).unwrap();
        let built = pack_folder(&folder, &commit, at, &linked, outer.path()).unwrap();
        assert_ne!(built.manifest_sha256, of_folder.manifest_sha256);
        let names: Vec<&str> = built.manifest.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(names, [".gitattributes", "README", "bin", "bin/run", "built.js", "log", "start"]);
    }

    #[test]
    fn what_a_build_leaves_is_refused_where_a_release_cannot_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("/etc/passwd", at("out")).unwrap();
        let packed = |into: &Path| pack_folder(folder.path(), &"1".repeat(40), 0, &[], into);
        let into = tempfile::tempdir().unwrap();
        let said = packed(into.path()).unwrap_err().to_string();
        assert_eq!(said, "`111111111111` can't be released: the link `out` leads out of the tree: `/etc/passwd`");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let said = packed(into.path()).unwrap_err().to_string();
        assert_eq!(said, "`111111111111` can't be released: `socket` is neither a file, a folder nor a link");
    }

    #[test]
    fn nothing_is_built_from_a_submodule_or_a_pointer_whose_content_is_not_there() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
        sample.write("big.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        sample.git(&["add", "-A"]);
        sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},vendor/lib")]);
        sample.git(&["commit", "-qm", "bad"]);
        let commit = sample.git(&["rev-parse", "HEAD"]);
        assert_eq!(
            checked_out(&sample, &commit).unwrap_err().to_string(),
            format!(
                "`{}` can't be released: `big.bin` is a git-lfs pointer, and its content isn't in the commit; \
                 `vendor/lib` is a submodule, and its files aren't in the commit",
                &commit[..12]
            )
        );
    }
}
