//! A commit's tree, written into a folder of this machine.
use super::{
    check,
    content::FileContent,
    export::{Exported, exported},
    filling::commit_part,
    folder::unread,
};
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{self, EntryKind},
    release::error::ReleaseError,
};
use std::{
    collections::HashMap,
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt},
    },
    path::Path,
};

/// Makes a folder and writes a commit's tree into it, as `git checkout` would, with submodules and what git-lfs keeps.
///
/// What this machine lacks of them is refused, because a build might silently miss it. What `export-ignore` excludes
/// stays as it was committed: an empty folder, or a pointer.
pub(crate) fn check_out(tree: git::Tree, rules: &TreeRules, folder: &Path, cache: &Path) -> Result<(), ReleaseError> {
    let source = commit_part(tree, rules, cache)?;
    let mut problems = Vec::new();
    let mut released: HashMap<&[u8], Exported<'_>> = HashMap::new();
    for file in exported(&source)? {
        let path = shown(&String::from_utf8_lossy(&file.entry.path));
        match file.entry.kind {
            EntryKind::Submodule => problems.push(source.unfilled(&path)),
            EntryKind::File { .. } if file.large => problems.extend(FileContent::of(&source, file)?.err()),
            _ => {}
        }
        released.insert(&file.entry.path, file);
    }
    if let Some(wrong) = source.entries().iter().find_map(|entry| check::name(&entry.path).err()) {
        problems.push(wrong);
    }
    if !problems.is_empty() {
        return Err(ReleaseError::Unfit { commit: source.commit().to_owned(), problems });
    }
    let failed = |e: io::Error| ReleaseError::Write { folder: folder.display().to_string(), why: e.to_string() };
    let make = |at: &Path| fs::DirBuilder::new().mode(0o755).create(at);
    make(folder).map_err(failed)?;
    for entry in source.entries() {
        let at = folder.join(std::ffi::OsStr::from_bytes(&entry.path));
        // A tree made by hand may have a name twice, so nothing is written through what exists already.
        let made = match entry.kind {
            EntryKind::Folder | EntryKind::Submodule => make(&at),
            EntryKind::Link => {
                let target = source.content(entry)?;
                std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(&target), &at)
            }
            EntryKind::File { executable } => {
                let mut content = match released.get(&*entry.path) {
                    Some(file) => match FileContent::of(&source, *file)? {
                        Ok(content) => content.reader,
                        Err(_) => return Err(unread(&at, &io::Error::other("it is gone"))),
                    },
                    None => source.reader(entry)?.1,
                };
                let mode = if executable { 0o755 } else { 0o644 };
                let open = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&at);
                open.and_then(|mut file| io::copy(&mut content, &mut file)).map(drop)
            }
        };
        made.map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::packing::Packing, *};
    use crate::{
        fleet::TreeRules,
        git::{Tree, sample::Sample},
        release::{pack, pack_folder},
    };
    use std::{os::unix::fs::symlink, path::PathBuf};

    fn checked_out(sample: &Sample, commit: &str) -> Result<(tempfile::TempDir, PathBuf), ReleaseError> {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("tree");
        check_out(Tree::read(&sample.repository(), commit).unwrap(), &TreeRules::default(), &folder, outer.path())?;
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
        let rules = TreeRules { linked: linked.to_vec(), ..TreeRules::default() };
        let of_folder = pack_folder(&folder, &commit, at, &linked, outer.path()).unwrap();
        let of_commit = pack(&sample.repository(), &commit, &rules, outer.path(), outer.path()).unwrap();
        assert_eq!(of_folder.manifest, of_commit.manifest);
        let [of_commit, whole] =
            [&of_commit, &of_folder].map(|packed| packed.whole(outer.path(), Packing::Gzip).unwrap());
        assert_eq!(of_commit, whole);
        fs::write(folder.join("built.js"), "1").unwrap();
        fs::create_dir(folder.join("empty")).unwrap();
        let built = pack_folder(&folder, &commit, at, &linked, outer.path()).unwrap();
        assert_ne!(built.manifest_sha256, of_folder.manifest_sha256);
        let names: Vec<&str> = built.manifest.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(names, [".gitattributes", "README", "bin", "bin/run", "built.js", "log", "start"]);
    }

    #[test]
    fn nothing_is_built_from_a_submodule_or_a_pointer_whose_content_is_not_there() {
        let sample = Sample::new();
        let head = sample.git(&["rev-parse", "HEAD"]);
        sample.write(".gitattributes", b"*.bin filter=lfs\n");
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n", "0".repeat(64));
        sample.write("big.bin", pointer.as_bytes());
        sample.git(&["add", "-A"]);
        sample.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},vendor/lib")]);
        sample.git(&["commit", "-qm", "bad"]);
        let commit = sample.git(&["rev-parse", "HEAD"]);
        assert_eq!(
            checked_out(&sample, &commit).unwrap_err().to_string(),
            format!(
                "`{}` can't be released: git-lfs keeps `big.bin`, and its content isn't on this machine; \
                 `vendor/lib` is a submodule, and `.gitmodules` doesn't name it",
                &commit[..12]
            )
        );
    }
}
