//! What git-lfs keeps, in a release.
use crate::{
    fleet::TreeRules,
    git::{
        Repository, Tree,
        sample::{Sample, git},
    },
    release::{Packed, Packing, ReleaseError, pack, tree},
};
use std::{fs, path::Path};

/// A repository with files in git-lfs, pushed to its origin with their contents.
fn sample() -> Sample {
    let sample = Sample::new();
    for (key, value) in [("filter.lfs.clean", "git-lfs clean -- %f"), ("filter.lfs.smudge", "git-lfs smudge -- %f")] {
        sample.git(&["config", key, value]);
    }
    sample.git(&["config", "filter.lfs.required", "true"]);
    // git-lfs looks for the content of each text that looks like a pointer.
    sample.git(&["config", "lfs.allowincompletepush", "true"]);
    sample.write(".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\nplain.bin !filter\n");
    sample.write("big.bin", b"the content");
    sample.write("dir/with, comma.bin", b"more");
    sample.write("dir/empty.bin", b"");
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n", "0".repeat(64));
    sample.write("plain.bin", pointer.as_bytes());
    sample.commit_all();
    sample.git(&["push", "-q", "origin", "main"]);
    sample.git(&["lfs", "push", "--all", "origin"]);
    sample
}

fn packed(at: &Repository, commit: &str, cache: &Path) -> Result<Packed, ReleaseError> {
    pack(at, commit, &TreeRules::default(), cache, cache)
}

async fn fetch(at: &Repository, commit: &str, cache: &Path) -> Result<(), ReleaseError> {
    tree::fetch(at, commit, &TreeRules::default(), cache, &crate::git::silent).await
}

/// Returns the content of a file of an archive.
fn content(packed: &Packed, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let parcel = packed.whole(folder.path(), Packing::Gzip).unwrap();
    let gzip = flate2::read::GzDecoder::new(fs::File::open(&parcel.file).unwrap());
    let mut archive = tar::Archive::new(gzip);
    let mut found = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = found.find(|entry| entry.path().unwrap() == Path::new(name)).unwrap();
    std::io::read_to_string(&mut entry).unwrap()
}

#[tokio::test]
async fn files_in_git_lfs_are_released_with_their_content_in_any_kind_of_clone() {
    let sample = sample();
    let head = sample.git(&["rev-parse", "HEAD"]);
    let cache = tempfile::tempdir().unwrap();
    let own = packed(&sample.repository(), &head, cache.path()).unwrap();
    assert_eq!(content(&own, "tree/big.bin"), "the content");
    assert_eq!(content(&own, "tree/dir/with, comma.bin"), "more");
    assert_eq!(
        own.odd.warning().as_deref(),
        Some(
            "these files are released as git-lfs pointers, because no `.gitattributes` gives them to git-lfs: `plain.bin`"
        )
    );
    // A clone without the contents, which has no filter of git-lfs.
    let other = sample.other();
    let at = Repository::locate(other.work.to_str().unwrap(), Path::new("/nowhere")).unwrap();
    let error = packed(&at, &head, cache.path()).unwrap_err();
    let failure = crate::failure::Failure::from(error);
    let tail = "git-lfs keeps `big.bin`, and its content isn't on this machine; \
                git-lfs keeps `dir/with, comma.bin`, and its content isn't on this machine";
    assert_eq!(failure.message, format!("`{}` can't be released: {tail}", &head[..12]));
    let line = format!("`git -C {} lfs fetch origin {head}` fetches it", other.work.display());
    assert_eq!(failure.help, Some(line));
    fetch(&at, &head, cache.path()).await.unwrap();
    assert_eq!(packed(&at, &head, cache.path()).unwrap().manifest_sha256, own.manifest_sha256);
    assert_eq!(fs::read(other.work.join("big.bin")).unwrap().len(), 127, "the work tree is left alone");
    assert!(!cache.path().join("lfs").exists(), "a clone keeps its own");
    // A repository by its URL.
    let url = format!("file://{}", sample.origin.display());
    let mirror = Repository::locate(&url, &cache.path().join("mirrors")).unwrap();
    crate::git::fetch(&mirror, crate::git::WITHIN, &crate::git::silent).await.unwrap();
    assert!(packed(&mirror, &head, cache.path()).is_err());
    fetch(&mirror, &head, cache.path()).await.unwrap();
    assert_eq!(packed(&mirror, &head, cache.path()).unwrap().manifest_sha256, own.manifest_sha256);
    let folder = cache.path().join("checked-out");
    let source = Tree::read(&mirror, &head).unwrap();
    tree::check_out(source, &TreeRules::default(), &folder, cache.path()).unwrap();
    assert_eq!(fs::read_to_string(folder.join("big.bin")).unwrap(), "the content");
}

#[tokio::test]
async fn what_the_server_lacks_or_a_disk_damaged_is_never_released() {
    let sample = sample();
    let head = sample.git(&["rev-parse", "HEAD"]);
    let cache = tempfile::tempdir().unwrap();
    let other = sample.other();
    let at = Repository::locate(other.work.to_str().unwrap(), Path::new("/nowhere")).unwrap();
    fs::rename(sample.origin.join("lfs"), sample.origin.join("gone")).unwrap();
    let error = fetch(&at, &head, cache.path()).await.unwrap_err();
    let said = error.to_string();
    let begins = "can't be released: git-lfs keeps `big.bin`, `dir/with, comma.bin`, and git lfs fetch failed: ";
    assert!(said.contains(begins), "{said}");
    let help = crate::failure::Failure::from(error).help.unwrap();
    assert!(help.contains("check it with `git -C "), "{help}");
    let _ = fs::remove_dir_all(sample.origin.join("lfs"));
    fs::rename(sample.origin.join("gone"), sample.origin.join("lfs")).unwrap();
    fetch(&at, &head, cache.path()).await.unwrap();
    let mut stores = vec![other.work.join(".git/lfs/objects")];
    while let Some(folder) = stores.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let place = entry.path();
            if place.is_dir() {
                stores.push(place);
            } else if fs::metadata(&place).unwrap().len() == "the content".len() as u64 {
                fs::remove_file(&place).unwrap();
                fs::write(&place, "tHe content").unwrap();
            }
        }
    }
    let said = packed(&at, &head, cache.path()).unwrap_err().to_string();
    assert!(said.contains("`big.bin`: git-lfs has a damaged copy of it"), "{said}");
}

#[tokio::test]
async fn a_pointer_that_is_none_is_refused_and_a_dry_run_takes_contents_for_granted() {
    let sample = sample();
    let head = sample.git(&["rev-parse", "HEAD"]);
    let nowhere = Path::new("/nonexistent");
    let other = sample.other();
    let at = Repository::locate(other.work.to_str().unwrap(), Path::new("/nowhere")).unwrap();
    tree::check(&at, &head, &TreeRules::default(), nowhere).unwrap();
    fs::write(other.work.join("big.bin"), "version https://git-lfs.github.com/spec/v1\noid sha256:../../x\nsize 1\n")
        .unwrap();
    git(&other.work, &["commit", "-qam", "bad"]);
    let bad = git(&other.work, &["rev-parse", "HEAD"]);
    let wanted = "`big.bin` starts like a git-lfs pointer, but rfab can't read it";
    for said in [
        tree::check(&at, &bad, &TreeRules::default(), nowhere).unwrap_err().to_string(),
        packed(&at, &bad, sample.folder.path()).unwrap_err().to_string(),
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}
