//! The manifests of releases that this machine packed or sent, by their digest.
use super::{
    Manifest,
    cache::{Bounds, bound, touch},
};
use crate::temporary::TemporaryFile;
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The limits of the folder. A manifest that is missing costs a read of its commit, or a send of all files.
const KEPT: Bounds = Bounds { kept: Duration::from_secs(90 * 24 * 3600), bytes: 512 << 20 };

/// Manifests by their digest, in memory and in a folder of the cache.
#[derive(Default)]
pub(crate) struct Manifests(Mutex<BTreeMap<String, Arc<Manifest>>>);

impl Manifests {
    /// Keeps a manifest. If it can't be written, only this run has it.
    pub(super) fn keep(&self, digest: &str, manifest: &Manifest, cache: &Path) {
        self.0.lock().unwrap().insert(digest.to_owned(), Arc::new(manifest.clone()));
        let folder = cache.join("manifests");
        let file = folder.join(digest);
        if touch(&file).is_ok() || fs::create_dir_all(&folder).is_err() {
            return;
        }
        bound(&folder, KEPT);
        if let Ok(mut new) = TemporaryFile::make_in(&folder)
            && new.write_all(manifest.text().as_bytes()).is_ok()
        {
            let _ = new.persist(&file);
        }
    }

    /// Finds the manifest with a digest.
    pub(super) fn find(&self, digest: &str, cache: &Path) -> Option<Arc<Manifest>> {
        let mut known = self.0.lock().unwrap();
        if let Some(manifest) = known.get(digest) {
            return Some(manifest.clone());
        }
        let file = cache.join("manifests").join(digest);
        let manifest = Manifest::parse(&fs::read_to_string(&file).ok()?).ok()?;
        if manifest.digest() != digest {
            return None;
        }
        let _ = touch(&file);
        let manifest = Arc::new(manifest);
        known.insert(digest.to_owned(), manifest.clone());
        Some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_found_by_its_digest_and_a_damaged_one_is_not() {
        let cache = tempfile::tempdir().unwrap();
        let manifest = Manifest { commit: "1".repeat(40), entries: vec![] };
        let digest = manifest.digest();
        Manifests::default().keep(&digest, &manifest, cache.path());
        let later = Manifests::default();
        assert_eq!(later.find(&digest, cache.path()), Some(Arc::new(manifest.clone())));
        fs::write(cache.path().join("manifests").join(&digest), manifest.text().replace('1', "2")).unwrap();
        assert_eq!(Manifests::default().find(&digest, cache.path()), None);
        assert_eq!(later.find(&"0".repeat(64), cache.path()), None);
    }
}
