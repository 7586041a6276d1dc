//! What was read of a repository's files before, so that a later commit needs only those that changed.
use super::cache::{BY, Bounds, bound};
use crate::{fleet::TreeRules, git::Repository, temporary::TemporaryFile};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

/// The limits of the folder. What is missing is read again.
const KEPT: Bounds = Bounds { kept: Duration::from_secs(90 * 24 * 3600), bytes: 512 << 20 };

/// A file's content, which its id in git decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BlobFacts {
    pub size: u64,
    pub sha256: String,
    /// The tool that left it encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<String>,
    /// Whether all of it was searched for that, and not only its beginning.
    pub searched: bool,
}

/// The contents of the commit that was read last, by their ids, and those of the commit that is read now.
///
/// If one was read wrong, the host refuses the release, because the content that arrives is another.
pub(super) struct KnownBlobs {
    file: PathBuf,
    before: BTreeMap<String, BlobFacts>,
    now: BTreeMap<String, BlobFacts>,
}

impl KnownBlobs {
    /// Reads what is known of a repository and of what is released of it. A damaged file counts as none.
    pub(super) fn read(repository: &Repository, rules: &TreeRules, cache: &Path) -> KnownBlobs {
        let of = serde_json::to_vec(&(BY, repository.folder.display().to_string(), rules)).expect("it is plain data");
        let file = cache.join("blobs").join(&hex::encode(Sha256::digest(of))[..24]);
        let before = fs::read(&file).ok().and_then(|bytes| parsed(&bytes)).unwrap_or_default();
        KnownBlobs { file, before, now: BTreeMap::new() }
    }

    /// Returns what is known of a content, if it was searched like that.
    pub(super) fn find(&mut self, id: &str, searched: bool) -> Option<BlobFacts> {
        let blob = self.now.get(id).or_else(|| self.before.get(id)).filter(|blob| blob.searched == searched)?.clone();
        self.now.insert(id.to_owned(), blob.clone());
        Some(blob)
    }

    /// Adds a content that was read.
    pub(super) fn add(&mut self, id: String, blob: BlobFacts) {
        self.now.insert(id, blob);
    }

    /// Keeps what is known of this commit for later runs, unless it can't be written.
    pub(super) fn keep(self) {
        let Some(folder) = self.file.parent().filter(|_| self.now != self.before) else { return };
        if fs::create_dir_all(folder).is_err() {
            return;
        }
        bound(folder, KEPT);
        let text = serde_json::to_vec(&self.now).expect("it is plain data");
        let sum = hex::encode(Sha256::digest(&text));
        if let Ok(mut new) = TemporaryFile::make_in(folder)
            && new.write_all(sum.as_bytes()).is_ok()
            && new.write_all(&text).is_ok()
        {
            let _ = new.persist(&self.file);
        }
    }
}

/// Reads what `keep` wrote: a sha256, and JSON with that sha256.
fn parsed(bytes: &[u8]) -> Option<BTreeMap<String, BlobFacts>> {
    let (sum, text) = bytes.split_at_checked(64)?;
    let whole = hex::encode(Sha256::digest(text)).as_bytes() == sum;
    serde_json::from_slice(text).ok().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::super::{Packed, pack};
    use super::*;
    use crate::git::sample::Sample;

    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    const SECRET: &str = "a: ENC[AES256_GCM,data:x]\nsops:\n    mac: x\n";

    /// Packs the newest commit with what is known, and without.
    fn both(sample: &Sample, rules: &TreeRules, cache: &Path) -> [Packed; 2] {
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let new = tempfile::tempdir().unwrap();
        [cache, new.path()].map(|cache| {
            let mut packed = pack(&sample.repository(), &commit, rules, sample.folder.path(), cache).unwrap();
            if let super::super::packed::PackedFrom::Commit { cache, .. } = &mut packed.from {
                cache.clear();
            }
            packed
        })
    }

    #[test]
    fn a_commit_packs_to_the_same_whatever_is_known_of_the_one_before() {
        let sample = Sample::new();
        let cache = tempfile::tempdir().unwrap();
        let rules = TreeRules { export_subst: true, ..TreeRules::default() };
        let large = "large".repeat(1000);
        let far = format!("{}{SECRET}", "#\n".repeat(1000));
        let steps: [&dyn Fn(); 10] = [
            &|| {
                for (path, text) in [("a", "a"), ("b", ""), ("big", &*large), ("s.txt", SECRET), ("p", POINTER)] {
                    sample.write(path, text.as_bytes());
                }
            },
            &|| sample.write("a", b"other"),
            &|| sample.make_executable("big"),
            &|| sample.write("moved/copy", large.as_bytes()),
            // SOPS is looked for farther in the same content of another name.
            &|| sample.write("s.yaml", far.as_bytes()),
            &|| fs::rename(sample.work.join("s.yaml"), sample.work.join("t.txt")).unwrap(),
            &|| sample.write("s.yaml", far.as_bytes()),
            &|| {
                sample.write("version", b"$Format:%H$\n");
                sample.write(".gitattributes", b"version export-subst\n");
            },
            &|| sample.write("a", b"again"),
            &|| sample.write(".gitattributes", b"moved export-ignore\n"),
        ];
        for (nth, change) in steps.iter().enumerate() {
            change();
            sample.commit_all();
            let [known, new] = both(&sample, &rules, cache.path());
            assert_eq!(known, new, "step {nth}");
            let encrypted: Vec<&str> = known.odd.encrypted.iter().map(|(path, _)| path.as_str()).collect();
            assert_eq!(encrypted, if [4, 6, 7, 8, 9].contains(&nth) { vec!["s.txt", "s.yaml"] } else { vec!["s.txt"] });
        }
        let file = fs::read_dir(cache.path().join("blobs")).unwrap().next().unwrap().unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        for damaged in [&text[..100], "", &text.replace("\"size\":5", "\"size\":6")] {
            assert_ne!(damaged, text);
            fs::write(&file, damaged).unwrap();
            let [known, new] = both(&sample, &rules, cache.path());
            assert_eq!(known, new);
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }

    #[test]
    fn a_content_that_an_earlier_commit_had_is_not_read_again() {
        let sample = Sample::new();
        let cache = tempfile::tempdir().unwrap();
        sample.write("same", b"same");
        sample.write("other", b"other");
        sample.commit_all();
        both(&sample, &TreeRules::default(), cache.path());
        let id = sample.git(&["rev-parse", "HEAD:same"]);
        sample.write("other", b"new");
        sample.commit_all();
        let object = sample.work.join(".git/objects").join(&id[..2]).join(&id[2..]);
        fs::remove_file(&object).unwrap();
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let rules = TreeRules::default();
        let packs = |rules: &TreeRules| pack(&sample.repository(), &commit, rules, sample.folder.path(), cache.path());
        assert!(packs(&rules).is_ok());
        assert!(packs(&TreeRules { linked: vec!["log".to_owned()], ..rules.clone() }).is_err());
    }
}
