//! The trees of commits that earlier runs packed, in the cache of this machine.
//!
//! A commit and the rules decide a tree, so a later run needn't read it again.
use super::{
    Manifest, Packed,
    cache::{self, BY},
    manifests::Manifests,
    odd::OddFiles,
    packed::PackedFrom,
};
use crate::{fleet::TreeRules, git::Repository};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What a commit's tree is, without its manifest.
#[derive(Serialize, Deserialize)]
struct KeptTree {
    by: String,
    commit: String,
    rules: TreeRules,
    manifest_sha256: String,
    room: u64,
    files: usize,
    tar_bytes: u64,
    hidden: Vec<String>,
    #[serde(flatten)]
    odd: OddFiles,
}

/// Keeps what a commit's tree is.
pub(super) fn keep_tree(packed: &Packed, rules: &TreeRules, folder: &Path) {
    let commit = &packed.manifest.commit;
    let Some(file) = tree_file(commit, rules, folder) else { return };
    let Packed { manifest_sha256, room, files, hidden, odd, .. } = packed.clone();
    let (by, commit, rules, tar_bytes) = (BY.to_owned(), commit.clone(), rules.clone(), packed.tar_bytes());
    cache::write(&file, &KeptTree { by, commit, rules, manifest_sha256, room, files, tar_bytes, hidden, odd });
}

/// Finds a commit's tree that was packed by the same rules, if its manifest is still here.
pub(super) fn tree(
    (repository, commit, rules): (&Repository, &str, &TreeRules),
    manifests: &Manifests,
    folder: &Path,
    cache: &Path,
) -> Option<Packed> {
    let file = tree_file(commit, rules, folder)?;
    let kept: KeptTree = cache::read(&file)?;
    let KeptTree { manifest_sha256, room, files, tar_bytes, hidden, odd, .. } = kept;
    if kept.by != BY || kept.commit != commit || kept.rules != *rules {
        return None;
    }
    let manifest: Arc<Manifest> = manifests.find(&manifest_sha256, cache)?;
    let manifest = Manifest::clone(&manifest);
    let (repository, rules, cache) = (repository.clone(), rules.clone(), cache.to_owned());
    let from = PackedFrom::Commit { repository, rules, cache, tar_bytes };
    (manifest.commit == commit).then_some(Packed { manifest, manifest_sha256, room, files, hidden, odd, from })
}

/// Returns the file about a commit's tree; none if the tree depends on more than the commit and the rules.
fn tree_file(commit: &str, rules: &TreeRules, folder: &Path) -> Option<PathBuf> {
    // A placeholder can name branches and tags.
    (!rules.export_subst).then_some(())?;
    let text = serde_json::to_vec(rules).expect("it is plain data");
    Some(folder.join(format!("{commit}-{}.tree.json", &hex::encode(Sha256::digest(text))[..12])))
}

#[cfg(test)]
mod tests {
    use super::super::{PackedTrees, Packing};
    use super::*;
    use crate::git::sample::Sample;
    use std::fs;

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
