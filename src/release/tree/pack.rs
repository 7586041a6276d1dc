//! Packs a commit's tree, or a folder of this machine.
use super::{
    archive::{Archive, Finished},
    content::FileContent,
    encrypted::{SEARCHED, encryption, may_be_sops},
    export::{Exported, exported},
    filling::commit_part,
    fit::{Item, fit},
    folder::FolderTree,
    known_blobs::KnownBlobs,
    lfs::BEGINNING,
    manifest::{Manifest, ManifestEntry},
    odd::OddFiles,
    packed::{Packed, PackedFrom},
    packing::Packing,
    parcel::ParcelWriter,
    part::CommitPart,
    source::TreeSource,
};
use crate::{
    fleet::TreeRules,
    git::{self, Repository},
    release::error::{ReleaseError, TreeProblem},
};
use std::{
    io::{self, Read, Write},
    path::Path,
};

/// Reads the tree of a commit, given by its whole id, without a checkout; its content is sent later.
///
/// Of the files that an earlier commit had, it needs no content.
/// `rules` names the folder to pack, the names that live in `shared/`, and whether `export-subst` counts. Submodules and
/// what git-lfs keeps are in it, if this machine has them (see [`fetch`](super::fetch)). `export-ignore` in the tree's
/// own `.gitattributes` is respected; line endings and other filters aren't. What can't be released is refused in one
/// error: what this machine lacks, links that leave the tree, and names that some hosts would read differently.
pub(crate) fn pack(
    repository: &Repository,
    commit: &str,
    rules: &TreeRules,
    folder: &Path,
    cache: &Path,
) -> Result<Packed, ReleaseError> {
    let tree = commit_part(git::Tree::read(repository, commit)?, rules, cache)?;
    let mut blobs = KnownBlobs::read(repository, rules, cache);
    let written = written(&tree, &rules.linked, Archive::measured(&tree, folder, &mut blobs)?)?;
    blobs.keep();
    written.packed(|_, _, tar_bytes| {
        let (repository, rules, cache) = (repository.clone(), rules.clone(), cache.to_owned());
        Ok(PackedFrom::Commit { repository, rules, cache, tar_bytes })
    })
}

/// Packs the content of a folder on this machine as the tree of a commit, by the same rules, into a file in `folder`.
///
/// `at` is the modification time of every file, in seconds since 1970.
pub(crate) fn pack_folder(
    from: &Path,
    commit: &str,
    at: i64,
    linked: &[String],
    folder: &Path,
) -> Result<Packed, ReleaseError> {
    let tree = TreeSource::Folder(FolderTree::read(from, commit, at)?);
    let archive = Archive::begin(&tree, folder, ParcelWriter::begin(folder, Packing::Gzip, None)?)?;
    written(&tree, linked, archive)?.packed(|into, manifest, tar_bytes| {
        into.persist(commit, &[("manifest", &manifest.text())], "", tar_bytes).map(PackedFrom::Parcel)
    })
}

/// Refuses what `pack` would refuse, without writing anything. What only this machine lacks is taken for granted.
///
/// Returns the files that may not be what the app expects.
pub(crate) fn check(
    repository: &Repository,
    commit: &str,
    rules: &TreeRules,
    cache: &Path,
) -> Result<OddFiles, ReleaseError> {
    let source = commit_part(git::Tree::read(repository, commit)?, rules, cache)?;
    let unfit = |problems| ReleaseError::Unfit { commit: commit.to_owned(), problems };
    let fit = fit(&source, &rules.linked)?.map_err(unfit)?;
    let (mut problems, mut odd) = (Vec::new(), OddFiles::default());
    for (path, item) in fit.items {
        let Item::File(file, _) = item else { continue };
        let content = match FileContent::of(&source, file)? {
            Ok(content) => content,
            Err(TreeProblem::Large { .. }) => continue,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let read = if content.size <= SEARCHED && may_be_sops(&path) { SEARCHED } else { BEGINNING };
        let mut beginning = Vec::new();
        let unread = |e: io::Error| git::GitError::Read(format!("`{path}`: {e}"));
        content.reader.take(read).read_to_end(&mut beginning).map_err(unread)?;
        odd.encrypted.extend(encryption(&beginning).map(|found| (path.clone(), found.tool().to_owned())));
        if content.pointer {
            odd.pointers.push(path);
        }
    }
    if problems.is_empty() { Ok(odd) } else { Err(unfit(problems)) }
}

/// Returns whether a release's files depend on the commit and not only on its tree.
pub(crate) fn substitutes(repository: &Repository, commit: &str, rules: &TreeRules) -> Result<bool, ReleaseError> {
    if !rules.export_subst {
        return Ok(false);
    }
    let tree =
        TreeSource::Commit(CommitPart::of(git::Tree::read(repository, commit)?, rules, Path::new("/nonexistent"))?);
    let file = |kept: &Exported<'_>| matches!(kept.entry.kind, git::EntryKind::File { .. });
    Ok(exported(&tree)?.iter().any(|kept| kept.substituted && file(kept)))
}

/// A tree that was written into a tar, and what is known of it then.
struct Written<W> {
    finished: Finished<W>,
    manifest: Manifest,
    hidden: Vec<String>,
}

/// Writes a tree with its manifest.
fn written<W: Write>(
    tree: &TreeSource,
    linked: &[String],
    mut archive: Archive<'_, W>,
) -> Result<Written<W>, ReleaseError> {
    let unfit = |problems| ReleaseError::Unfit { commit: tree.commit().to_owned(), problems };
    let fit = fit(tree, linked)?.map_err(unfit)?;
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (path, item) in fit.items {
        match archive.add(&path, item)? {
            Ok(what) => entries.push(ManifestEntry { path, what }),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(unfit(problems));
    }
    let manifest = Manifest { commit: tree.commit().to_owned(), entries };
    let finished = archive.finish(&[("manifest", &manifest.text())])?;
    Ok(Written { finished, manifest, hidden: fit.hidden })
}

impl<W> Written<W> {
    fn packed(
        self,
        from: impl FnOnce(W, &Manifest, u64) -> Result<PackedFrom, ReleaseError>,
    ) -> Result<Packed, ReleaseError> {
        let Written { finished, manifest, hidden } = self;
        let Finished { into, tar_bytes, room, files, odd } = finished;
        let from = from(into, &manifest, tar_bytes)?;
        let manifest_sha256 = manifest.digest();
        Ok(Packed { manifest, manifest_sha256, room, files, hidden, odd, from })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sample::Sample;

    fn from(sample: &Sample, linked: &[&str]) -> Result<Packed, ReleaseError> {
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let linked: Vec<String> = linked.iter().map(|name| name.to_string()).collect();
        let (rules, cache) = (TreeRules { linked, ..TreeRules::default() }, sample.folder.path());
        pack(&sample.repository(), &commit, &rules, cache, cache)
    }

    fn problems(sample: &Sample, linked: &[&str]) -> Vec<String> {
        match from(sample, linked) {
            Err(ReleaseError::Unfit { problems, .. }) => problems.iter().map(TreeProblem::to_string).collect(),
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
        let parcel = first.whole(sample.folder.path(), Packing::Gzip).unwrap();
        let bytes = std::fs::read(&parcel.file).unwrap();
        assert_eq!(bytes.len() as u64, parcel.bytes);
        sample.write("bin/run", b"changed");
        std::fs::remove_file(&parcel.file).unwrap();
        assert_eq!(from(&sample, &["public/uploads", "config/db.yml"]).unwrap(), first);
        assert_eq!(first.whole(sample.folder.path(), Packing::Gzip).unwrap(), parcel);
        assert_eq!(std::fs::read(&parcel.file).unwrap(), bytes);
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

    /// Returns the most memory that this process ever had, in KiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn a_large_file_of_a_commit_or_a_folder_is_packed_piece_by_piece() {
        const ALONE: &str = "RFAB_PACKS_ALONE";
        let name = "release::tree::pack::tests::a_large_file_of_a_commit_or_a_folder_is_packed_piece_by_piece";
        if std::env::var_os(ALONE).is_none() {
            // In a separate process, so that only this test's memory counts.
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
        crate::release::tree::check_out(found, &TreeRules::default(), &checked_out, into.path()).unwrap();
        let again = pack_folder(&checked_out, &commit, at, &[], into.path()).unwrap();
        assert_eq!(again.manifest, packed.manifest);
        let [parcel, built] = [&packed, &again].map(|packed| packed.whole(into.path(), Packing::Gzip).unwrap());
        assert!(parcel.tar_bytes > size && parcel == built);
        let took = peak() - before;
        assert!(took < 32 << 10, "{took} KiB");
        packed.whole(into.path(), Packing::Zstd).unwrap();
        let took = peak() - before;
        assert!(took < 64 << 10, "{took} KiB");
    }

    #[test]
    fn what_is_not_in_the_commit_or_leaves_the_tree_is_refused_all_at_once() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
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
                "`vendor/lib` is a submodule, and `.gitmodules` doesn't name it",
                "the link `out` points outside the tree: `/etc/passwd`",
            ]
        );
        sample.write(".gitattributes", b"out export-ignore\nA export-ignore\nvendor export-ignore\n");
        sample.git(&["add", ".gitattributes"]);
        sample.git(&["commit", "-qm", "good"]);
        let names: Vec<String> =
            from(&sample, &[]).unwrap().manifest.entries.into_iter().map(|entry| entry.path).collect();
        assert_eq!(names, [".gitattributes", "README", "a"]);
    }

    #[test]
    fn a_folder_of_a_commit_is_a_release_of_its_own_by_the_attributes_of_all_folders_above() {
        let sample = Sample::new();
        for file in [
            "services/web/app",
            "services/web/docs/x",
            "services/web/notes",
            "services/web/log/.gitkeep",
            "services/webs/y",
            "z",
        ] {
            sample.write(file, b"x");
        }
        sample.write(".gitattributes", b"/services/web/docs export-ignore\nnotes export-ignore\n");
        sample.write("services/.gitattributes", b"web/notes -export-ignore\n");
        std::os::unix::fs::symlink("../../z", sample.work.join("services/web/out")).unwrap();
        let out = sample.commit_all();
        let rules =
            |tree: &str| TreeRules { linked: vec!["log".into()], tree: Some(tree.into()), ..TreeRules::default() };
        let of = |commit: &str, tree: &str| {
            pack(&sample.repository(), commit, &rules(tree), sample.folder.path(), sample.folder.path())
        };
        let said = |tree: &str| of(&out, tree).unwrap_err().to_string().replace(&out[..12], "ID");
        assert_eq!(said("services/web"), "`ID` can't be released: the link `out` points outside the tree: `../../z`");
        assert_eq!([said("services/we"), said("z")], ["`ID` has no folder `services/we`", "`ID` has no folder `z`"]);
        std::fs::remove_file(sample.work.join("services/web/out")).unwrap();
        let commit = sample.commit_all();
        let packed = of(&commit, "services/web").unwrap();
        let names: Vec<&str> = packed.manifest.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(names, ["app", "log", "notes"]);
        assert_eq!((&packed.manifest.commit, packed.hidden), (&commit, vec![]));
        check(&sample.repository(), &commit, &rules("services/web"), sample.folder.path()).unwrap();
        let into = sample.folder.path().join("built");
        let tree = git::Tree::read(&sample.repository(), &commit).unwrap();
        crate::release::tree::check_out(tree, &rules("services/web"), &into, sample.folder.path()).unwrap();
        assert!(into.join("docs/x").exists() && !into.join("services").exists());
    }

    #[test]
    fn files_that_are_still_encrypted_are_named() {
        let sample = Sample::new();
        assert_eq!(from(&sample, &[]).unwrap().odd.warning(), None);
        sample.write("config/key", b"\0GITCRYPT\0\x01\x02");
        sample.write("config/prod.yaml", b"pw: ENC[AES256_GCM,data:x]\nsops:\n    mac: ENC[AES256_GCM,data:y]\n");
        sample.commit_all();
        let packed = from(&sample, &[]).unwrap();
        let said = "these files are released encrypted, as they were committed: `config/key` (git-crypt), \
                    `config/prod.yaml` (SOPS)";
        assert_eq!(packed.odd.warning().as_deref(), Some(said));
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let found = check(&sample.repository(), &commit, &TreeRules::default(), sample.folder.path()).unwrap();
        assert_eq!(found, packed.odd);
        assert!(packed.manifest.entries.iter().any(|entry| entry.path == "config/prod.yaml"));
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
            let (rules, cache) = (TreeRules::default(), sample.folder.path());
            let ended = pack(&sample.repository(), &commit.to_string(), &rules, cache, cache);
            // An empty `.git` folder is left out like any empty folder; `a/b` is two names.
            let harmless = name == ".git" || name == "a/b";
            assert_eq!(ended.is_ok(), harmless, "{name}: {ended:?}");
        }
    }
}
