//! What earlier runs packed: trees of commits, and parcels, in the cache of this machine.
//!
//! A commit and the rules decide a tree, and all that a parcel has. So a later run needs to read neither again.
use super::{
    Manifest, Packed,
    cache::touch,
    counted::Digested,
    manifests::Manifests,
    odd::OddFiles,
    packed::PackedFrom,
    parcel::{Parcel, named},
};
use crate::{fleet::TreeRules, git::Repository};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::NamedTempFile;

/// Another version of rfab may read a tree in another way.
const BY: &str = concat!("rfab ", env!("CARGO_PKG_VERSION"), ", trees 1");

/// What a commit's tree is, without its manifest.
#[derive(Serialize, Deserialize)]
struct KeptTree {
    by: String,
    commit: String,
    rules: TreeRules,
    manifest_sha256: String,
    room: u64,
    files: usize,
    hidden: Vec<String>,
    #[serde(flatten)]
    odd: OddFiles,
}

/// What a parcel's file has.
#[derive(Serialize, Deserialize)]
struct KeptParcel {
    sha256: String,
    bytes: u64,
    tar_bytes: u64,
}

/// Keeps what a commit's tree is.
pub(super) fn keep_tree(packed: &Packed, rules: &TreeRules, folder: &Path) {
    let commit = &packed.manifest.commit;
    let Some(file) = tree_file(commit, rules, folder) else { return };
    let Packed { manifest_sha256, room, files, hidden, odd, .. } = packed.clone();
    let (by, commit, rules) = (BY.to_owned(), commit.clone(), rules.clone());
    write(&file, &KeptTree { by, commit, rules, manifest_sha256, room, files, hidden, odd });
}

/// Finds a commit's tree that was packed by the same rules, if its manifest is still here.
pub(super) fn tree(
    (repository, commit, rules): (&Repository, &str, &TreeRules),
    manifests: &Manifests,
    folder: &Path,
    cache: &Path,
) -> Option<Packed> {
    let file = tree_file(commit, rules, folder)?;
    let KeptTree { by, commit: own, rules: by_rules, manifest_sha256, room, files, hidden, odd } = read(&file)?;
    if by != BY || own != commit || by_rules != *rules {
        return None;
    }
    let manifest: Arc<Manifest> = manifests.find(&manifest_sha256, cache)?;
    let manifest = Manifest::clone(&manifest);
    let from = PackedFrom::Commit { repository: repository.clone(), rules: rules.clone(), cache: cache.to_owned() };
    (manifest.commit == commit).then_some(Packed { manifest, manifest_sha256, room, files, hidden, odd, from })
}

/// Returns the file about a commit's tree; none if the tree depends on more than the commit and the rules.
fn tree_file(commit: &str, rules: &TreeRules, folder: &Path) -> Option<PathBuf> {
    // A placeholder can name branches and tags.
    (!rules.export_subst).then_some(())?;
    let text = serde_json::to_vec(rules).expect("it is plain data");
    Some(folder.join(format!("{commit}-{}.tree.json", &hex::encode(Sha256::digest(text))[..12])))
}

/// Keeps the digest of a parcel.
pub(super) fn keep_parcel(parcel: &Parcel, sha256: String) {
    write(&beside(&parcel.file), &KeptParcel { sha256, bytes: parcel.bytes, tar_bytes: parcel.tar_bytes });
}

impl Parcel {
    /// Finds a parcel that an earlier run made with the same files beside the tree, if it is undamaged.
    pub(super) fn kept(folder: &Path, commit: &str, texts: &[(&str, &str)], packing: super::Packing) -> Option<Parcel> {
        let of: String = texts.iter().map(|(_, text)| *text).collect();
        let file = named(folder, commit, &hex::encode(Sha256::digest(of)), packing);
        let KeptParcel { sha256, bytes, tar_bytes } = read(&beside(&file))?;
        let mut digested = Digested::new(io::sink());
        io::copy(&mut File::open(&file).ok()?, &mut digested).ok()?;
        (hex::encode(digested.sha256.finalize()) == sha256).then_some(())?;
        for used in [&file, &beside(&file)] {
            touch(used).ok()?;
        }
        Some(Parcel { file, bytes, tar_bytes, packing })
    }
}

/// Returns the file about a parcel.
fn beside(parcel: &Path) -> PathBuf {
    let mut name = parcel.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Writes a file; if that fails, a later run packs again.
fn write(file: &Path, what: &impl Serialize) {
    let text = serde_json::to_vec(what).expect("it is plain data");
    let Some(folder) = file.parent() else { return };
    if let Ok(mut new) = NamedTempFile::new_in(folder)
        && new.write_all(&text).is_ok()
    {
        let _ = new.persist(file);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PackedTrees, Packing};
    use super::*;
    use crate::git::sample::Sample;

    #[test]
    fn what_was_packed_before_is_neither_read_nor_compressed_again_unless_it_is_damaged() {
        let sample = Sample::new();
        let commit = sample.commit("app", "content");
        let repository = sample.work.to_str().unwrap().to_owned();
        let cache = tempfile::tempdir().unwrap();
        let rules = TreeRules::default();
        let run = |rules: &TreeRules| {
            let packs = PackedTrees::default();
            let packed = packs.pack(&repository, &commit, rules, cache.path())?;
            Ok::<_, crate::failure::Failure>((packed.clone(), packs.whole(&packed, Packing::Gzip, cache.path())?))
        };
        let first = run(&rules).unwrap();
        // Without objects, nothing can be read from the repository.
        let objects = sample.work.join(".git/objects");
        fs::rename(&objects, sample.work.join("away")).unwrap();
        fs::create_dir(&objects).unwrap();
        assert_eq!(run(&rules).unwrap(), first);
        for other in [
            TreeRules { linked: vec!["log".to_owned()], ..rules.clone() },
            TreeRules { export_subst: true, ..rules.clone() },
        ] {
            assert!(run(&other).is_err(), "{other:?}");
        }
        fs::write(&first.1.file, "torn").unwrap();
        assert!(run(&rules).is_err());
        fs::remove_dir(&objects).unwrap();
        fs::rename(sample.work.join("away"), &objects).unwrap();
        assert_eq!(run(&rules).unwrap(), first);
    }
}
