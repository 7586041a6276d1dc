//! Makes an archive of a commit's tree.
use super::{
    attributes::Attributes,
    check,
    error::{Error, Problem},
    linked::{self, Found, Shared},
    manifest::{Entry, Manifest, What},
    source::{Folder, Source},
};
use crate::git::{self, EntryKind, Repository};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// A commit's tree, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// A `.tar.gz` with `manifest` and `tree/` in it. The same commit and linked names give the same bytes.
    pub archive: PathBuf,
    pub archive_sha256: String,
    pub archive_bytes: u64,
    /// The archive's length before it was compressed.
    pub tar_bytes: u64,
    pub manifest: Manifest,
    pub manifest_sha256: String,
    /// How much of a disk it takes unpacked, in bytes, by blocks of 4 KiB.
    pub room: u64,
    /// Files in it, not counting links and folders.
    pub files: usize,
    /// Names of the commit that a linked name hides: they are not in the release.
    pub hidden: Vec<String>,
}

/// Packs the tree of a commit, given by its whole id, into a file in `folder`, without a checkout.
///
/// `export-ignore` of the tree's own `.gitattributes` is respected; `export-subst`, line ends and filters are not:
/// files are packed as they were committed. `linked` are the names that live in `shared/`. Submodules, git-lfs
/// pointers, links that leave the tree and names that some host would read otherwise are refused, all at once.
pub fn pack(repository: &Repository, commit: &str, linked: &[String], folder: &Path) -> Result<Packed, Error> {
    packed(&Source::Commit(git::Tree::read(repository, commit)?), linked, folder)
}

/// Packs what a folder of this machine has in it as the tree of a commit, by the same rules, into a file in `folder`.
///
/// `at` is the time that every file gets, in seconds since 1970.
pub fn pack_folder(from: &Path, commit: &str, at: i64, linked: &[String], folder: &Path) -> Result<Packed, Error> {
    packed(&Source::Folder(Folder::read(from, commit, at)?), linked, folder)
}

/// Refuses what `pack` would refuse, and writes nothing.
pub(super) fn check(repository: &Repository, commit: &str, linked: &[String]) -> Result<(), Error> {
    let source = Source::Commit(git::Tree::read(repository, commit)?);
    let Source::Commit(tree) = &source else { return Ok(()) };
    let unfit = |problems| Error::Unfit { commit: commit.to_owned(), problems };
    let fit = fit(&source, linked)?.map_err(unfit)?;
    let mut problems = Vec::new();
    for (path, item) in &fit.items {
        let Item::File(entry, _) = item else { continue };
        if tree.size(entry)? < BEGINNING && is_lfs(&tree.content(entry)?) {
            problems.push(Problem::Lfs(path.clone()));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(unfit(problems)) }
}

fn packed(tree: &Source, linked: &[String], folder: &Path) -> Result<Packed, Error> {
    let unfit = |problems| Error::Unfit { commit: tree.commit().to_owned(), problems };
    let fit = fit(tree, linked)?.map_err(unfit)?;
    write(tree, fit, folder)?.map_err(unfit)
}

/// Names that may be released, in their order.
struct Fit<'a> {
    items: BTreeMap<String, Item<'a>>,
    hidden: Vec<String>,
}

enum Item<'a> {
    Folder,
    File(&'a git::Entry, bool),
    Link(String),
    Shared(What),
}

/// The entries that `export-ignore` leaves; folders only where something is left in them.
pub(super) fn exported(tree: &Source) -> Result<Vec<&git::Entry>, git::Error> {
    let mut attributes = Attributes::default();
    for entry in tree.entries() {
        let folder =
            entry.path.strip_suffix(b".gitattributes").filter(|above| above.is_empty() || above.ends_with(b"/"));
        if let (Some(folder), EntryKind::File { .. }) = (folder, entry.kind) {
            attributes.add(folder, &tree.content(entry)?);
        }
    }
    let mut left: Vec<&git::Entry> = Vec::new();
    let mut skipped: Option<Vec<u8>> = None;
    for entry in tree.entries() {
        if skipped.as_ref().is_some_and(|above| entry.path.starts_with(above)) {
            continue;
        }
        let folder = matches!(entry.kind, EntryKind::Folder | EntryKind::Submodule);
        if attributes.ignores(&entry.path, folder) {
            skipped = folder.then(|| [&entry.path[..], b"/"].concat());
        } else {
            left.push(entry);
        }
    }
    let above = |path: &[u8]| -> Vec<Vec<u8>> {
        (0..path.len()).filter(|at| path[*at] == b'/').map(|at| path[..at].to_vec()).collect()
    };
    let filled: BTreeSet<Vec<u8>> =
        left.iter().filter(|entry| entry.kind != EntryKind::Folder).flat_map(|entry| above(&entry.path)).collect();
    left.retain(|entry| entry.kind != EntryKind::Folder || filled.contains(&entry.path));
    Ok(left)
}

fn fit<'a>(tree: &'a Source, linked: &[String]) -> Result<Result<Fit<'a>, Vec<Problem>>, git::Error> {
    let mut problems = Vec::new();
    let mut named: Vec<(&str, &git::Entry)> = Vec::new();
    for entry in exported(tree)? {
        match check::name(&entry.path) {
            Ok(name) => named.push((name, entry)),
            Err(problem) => problems.push(problem),
        }
    }
    let found = |entry: &git::Entry| if entry.kind == EntryKind::Folder { Found::Folder } else { Found::Other };
    let by_name = named.iter().map(|(name, entry)| (*name, found(entry))).collect();
    let shared = linked::shared(linked, &by_name).unwrap_or_else(|wrong| {
        problems.extend(wrong);
        Vec::new()
    });
    let (below, kept): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(name, _)| shared.iter().any(|shared| linked::within(name, &shared.path)));
    problems.extend(check::twins(kept.iter().map(|(name, _)| *name).chain(shared.iter().map(|s| s.path.as_str()))));
    let mut items = BTreeMap::new();
    let mut links = BTreeMap::new();
    for (name, entry) in kept {
        let item = match entry.kind {
            EntryKind::Folder => Item::Folder,
            EntryKind::File { executable } => Item::File(entry, executable),
            EntryKind::Submodule => {
                problems.push(Problem::Submodule(name.to_owned()));
                continue;
            }
            EntryKind::Link => {
                let target = tree.content(entry)?;
                let text = String::from_utf8_lossy(&target).into_owned();
                links.insert(name.to_owned(), target);
                Item::Link(text)
            }
        };
        items.insert(name.to_owned(), item);
    }
    problems.extend(check::links(&links, &shared.iter().map(|shared| shared.path.as_str()).collect()));
    for Shared { path, what } in shared {
        for (slash, _) in path.match_indices('/') {
            items.entry(path[..slash].to_owned()).or_insert(Item::Folder);
        }
        items.insert(path, Item::Shared(what));
    }
    let keeps_a_folder = |name: &str| name.ends_with("/.gitkeep") || name.ends_with("/.keep");
    let hides = below.into_iter().filter(|(name, entry)| entry.kind != EntryKind::Folder && !keeps_a_folder(name));
    let hidden = hides.map(|(name, _)| name.to_owned()).collect();
    Ok(if problems.is_empty() { Ok(Fit { items, hidden }) } else { Err(problems) })
}

/// So many bytes of a file tell whether it is a pointer of git-lfs.
pub(super) const BEGINNING: u64 = 1024;

/// Whether a file that begins so is a pointer of git-lfs, which has fewer than [`BEGINNING`] bytes.
pub(super) fn is_lfs(beginning: &[u8]) -> bool {
    beginning.len() < BEGINNING as usize && beginning.starts_with(b"version https://git-lfs.github.com/spec/")
}

/// A release's own mode says who may read it; the folder for temporary files here is nobody else's business.
fn write(tree: &Source, fit: Fit<'_>, folder: &Path) -> Result<Result<Packed, Vec<Problem>>, Error> {
    let failed = |e: io::Error| Error::Write { folder: folder.display().to_string(), why: e.to_string() };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let gzip: GzEncoder<_> = GzBuilder::new().mtime(0).write(Counted::new(file), Compression::default());
    let mut tar = tar::Builder::new(Counted::new(gzip));
    let mtime = u64::try_from(tree.at()).unwrap_or(0);
    folder_into(&mut tar, "tree", mtime).map_err(failed)?;
    let mut entries = Vec::new();
    let (mut problems, mut room, mut files) = (Vec::new(), 8192, 0);
    for (path, item) in fit.items {
        let at = format!("tree/{path}");
        let what = match item {
            Item::Folder => {
                folder_into(&mut tar, &at, mtime).map_err(failed)?;
                What::Folder
            }
            Item::File(entry, executable) => {
                let unread = |e: io::Error| Error::Git(git::Error::Read(format!("`{path}`: {e}")));
                let (size, mut content) = tree.reader(entry)?;
                let mut beginning = Vec::new();
                content.by_ref().take(BEGINNING).read_to_end(&mut beginning).map_err(unread)?;
                if is_lfs(&beginning) {
                    problems.push(Problem::Lfs(path));
                    continue;
                }
                let mut content = Reading::new(beginning.chain(content).take(size + 1));
                let put = file_into(&mut tar, &at, mtime, executable, size, &mut content);
                if let Some(e) = content.failed {
                    return Err(unread(e));
                }
                put.map_err(failed)?;
                if content.bytes != size {
                    return Err(unread(io::Error::other("it changed while it was read")));
                }
                room += size.next_multiple_of(4096);
                files += 1;
                What::File { executable, size, sha256: hex::encode(content.sha256.finalize()) }
            }
            Item::Link(target) => {
                link_into(&mut tar, &at, mtime, &target).map_err(failed)?;
                What::Link { target }
            }
            Item::Shared(what) => {
                if let What::SharedFolder { target } | What::SharedFile { target } = &what {
                    link_into(&mut tar, &at, mtime, target).map_err(failed)?;
                }
                what
            }
        };
        if !matches!(what, What::File { .. }) {
            room += 4096;
        }
        entries.push(Entry { path, what });
    }
    if !problems.is_empty() {
        return Ok(Err(problems));
    }
    let manifest = Manifest { commit: tree.commit().to_owned(), entries };
    let text = manifest.text();
    room += (text.len() as u64).next_multiple_of(4096);
    file_into(&mut tar, "manifest", mtime, false, text.len() as u64, &mut text.as_bytes()).map_err(failed)?;
    let plain = tar.into_inner().map_err(failed)?;
    let tar_bytes = plain.bytes;
    let packed = plain.inner.finish().map_err(failed)?;
    let manifest_sha256 = manifest.digest();
    let archive = folder.join(format!("{}-{}.tar.gz", tree.commit(), &manifest_sha256[..12]));
    let (archive_bytes, archive_sha256) = (packed.bytes, hex::encode(packed.sha256.finalize()));
    packed.inner.persist(&archive).map_err(|e| failed(e.error))?;
    let hidden = fit.hidden;
    Ok(Ok(Packed { archive, archive_sha256, archive_bytes, tar_bytes, manifest, manifest_sha256, room, files, hidden }))
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

/// Counts and digests what is read through it, and keeps why it could not be.
struct Reading<R> {
    inner: R,
    bytes: u64,
    sha256: Sha256,
    failed: Option<io::Error>,
}

impl<R> Reading<R> {
    fn new(inner: R) -> Self {
        Self { inner, bytes: 0, sha256: Sha256::new(), failed: None }
    }
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(piece) {
            Ok(read) => {
                self.bytes += read as u64;
                self.sha256.update(&piece[..read]);
                Ok(read)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            Err(e) => {
                self.failed = Some(e);
                Err(io::Error::other("it can't be read"))
            }
        }
    }
}

/// Counts and digests what is written through it.
struct Counted<W> {
    inner: W,
    bytes: u64,
    sha256: Sha256,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Self {
        Self { inner, bytes: 0, sha256: Sha256::new() }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(piece)?;
        self.bytes += written as u64;
        self.sha256.update(&piece[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    fn from(sample: &Sample, linked: &[&str]) -> Result<Packed, Error> {
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let linked: Vec<String> = linked.iter().map(|name| name.to_string()).collect();
        pack(&sample.repository(), &commit, &linked, sample.folder.path())
    }

    fn problems(sample: &Sample, linked: &[&str]) -> Vec<String> {
        match from(sample, linked) {
            Err(Error::Unfit { problems, .. }) => problems.iter().map(Problem::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_commit_packs_to_the_same_bytes_whatever_is_in_the_work_tree() {
        let sample = Sample::new();
        sample.write("bin/run", b"#!/bin/sh\n");
        sample.make_executable("bin/run");
        sample.write(&format!("deep/{}/x", "long/".repeat(50)), b"");
        sample.write("public/uploads/.gitkeep", b"");
        sample.write("public/uploads/old", b"old");
        std::os::unix::fs::symlink("bin/run", sample.work.join("start")).unwrap();
        sample.commit_all();
        let first = from(&sample, &["public/uploads", "config/db.yml"]).unwrap();
        let bytes = std::fs::read(&first.archive).unwrap();
        assert_eq!(bytes.len() as u64, first.archive_bytes);
        assert_eq!(hex::encode(Sha256::digest(&bytes)), first.archive_sha256);
        sample.write("bin/run", b"changed");
        std::fs::remove_file(&first.archive).unwrap();
        assert_eq!(from(&sample, &["public/uploads", "config/db.yml"]).unwrap(), first);
        assert_eq!(std::fs::read(&first.archive).unwrap(), bytes);
        assert_eq!(first.hidden, ["public/uploads/old"]);
        let text = first.manifest.text();
        assert_eq!(Manifest::parse(&text).unwrap(), first.manifest);
        for line in [
            "D\t777\t-\t../../../shared/public/uploads\t./public/uploads\n",
            "F\t777\t-\t../../../shared/config/db.yml\t./config/db.yml\n",
            "d\t755\t-\t-\t./config\n",
            "l\t777\t-\tbin/run\t./start\n",
            "f\t755\t10\t",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(!text.contains("gitkeep") && !text.contains("uploads/old"));
    }

    /// The most memory that this process ever had, in KiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn a_large_file_of_a_commit_or_a_folder_is_packed_piece_by_piece() {
        const ALONE: &str = "RFAB_PACKS_ALONE";
        let name = "release::pack::tests::a_large_file_of_a_commit_or_a_folder_is_packed_piece_by_piece";
        if std::env::var_os(ALONE).is_none() {
            // In a process of its own, whose memory is that of nothing else.
            let own = std::env::current_exe().unwrap();
            let out = std::process::Command::new(own).args(["--exact", name]).env(ALONE, "").output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
            return;
        }
        let size: u64 = if std::env::var_os("RFAB_ALL").is_some() { 2 << 30 } else { 64 << 20 };
        let sample = Sample::new();
        let large = std::fs::File::create(sample.work.join("large")).unwrap();
        large.set_len(size).unwrap();
        let commit = sample.commit_all();
        std::fs::write(sample.work.join("gone"), "").unwrap();
        let before = peak();
        let packed = from(&sample, &[]).unwrap();
        let into = tempfile::tempdir().unwrap();
        let found = crate::git::Tree::read(&sample.repository(), &commit).unwrap();
        let at = found.at;
        let checked_out = into.path().join("tree");
        crate::release::source::check_out(found, &checked_out).unwrap();
        let again = pack_folder(&checked_out, &commit, at, &[], into.path()).unwrap();
        assert_eq!(again.manifest, packed.manifest);
        assert!(packed.tar_bytes > size && packed.archive_sha256 == again.archive_sha256);
        let took = peak() - before;
        assert!(took < 32 << 10, "{took} KiB");
    }

    #[test]
    fn what_is_not_in_the_commit_or_leaves_the_tree_is_refused_all_at_once() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
        sample.write("big.bin", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        sample.commit_all();
        assert_eq!(problems(&sample, &[]), ["`big.bin` is a git-lfs pointer, and its content isn't in the commit"]);
        std::os::unix::fs::symlink("/etc/passwd", sample.work.join("out")).unwrap();
        sample.write("a", b"");
        sample.write("A", b"");
        sample.git(&["add", "-A"]);
        sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},vendor/lib")]);
        sample.git(&["commit", "-qm", "bad"]);
        assert_eq!(
            problems(&sample, &["../x"]),
            [
                "`../x` can't be linked: it isn't a path below the release",
                "`A` and `a` differ only in case",
                "`vendor/lib` is a submodule, and its files aren't in the commit",
                "the link `out` leads out of the tree: `/etc/passwd`",
            ]
        );
        sample.write(
            ".gitattributes",
            b"out export-ignore\nA export-ignore\nvendor export-ignore\n*.bin export-ignore\n",
        );
        sample.git(&["add", ".gitattributes"]);
        sample.git(&["commit", "-qm", "good"]);
        let names: Vec<String> =
            from(&sample, &[]).unwrap().manifest.entries.into_iter().map(|entry| entry.path).collect();
        assert_eq!(names, [".gitattributes", "README", "a"]);
    }

    #[test]
    fn a_tree_that_git_would_never_make_is_refused() {
        let sample = Sample::new();
        let open = git2::Repository::open(&sample.work).unwrap();
        let blob = open.blob(b"x").unwrap();
        let tree = open.find_tree(open.odb().unwrap().write(git2::ObjectType::Tree, b"").unwrap()).unwrap().id();
        for (name, mode, id) in
            [("..", "100644", blob), (".git", "40000", tree), ("a\nb", "100644", blob), ("a/b", "100644", blob)]
        {
            let raw = [format!("{mode} {name}\0").as_bytes(), id.as_bytes()].concat();
            let Ok(bad) = open.odb().unwrap().write(git2::ObjectType::Tree, &raw) else { panic!("{name}") };
            let text = format!("tree {bad}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n");
            let commit = open.odb().unwrap().write(git2::ObjectType::Commit, text.as_bytes()).unwrap();
            let ended = pack(&sample.repository(), &commit.to_string(), &[], sample.folder.path());
            // An empty `.git` folder is left out like any empty folder; a name with a slash is two names.
            let harmless = name == ".git" || name == "a/b";
            assert_eq!(ended.is_ok(), harmless, "{name}: {ended:?}");
        }
    }
}
