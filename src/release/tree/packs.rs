//! What was packed on this machine, by this run and by earlier ones.
use super::{
    Packed,
    cache::{Bounds, bound, sweep, touch},
    difference::Difference,
    kept,
    manifest::Manifest,
    manifests::Manifests,
    outgoing::Outgoing,
    pack, pack_folder,
    packed::PackedFrom,
    packing::Packing,
    parcel::Parcel,
};
use crate::{
    control::shown,
    failure::Failure,
    fleet::TreeRules,
    git::{Repository, Tree},
    temporary::TemporaryFile,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Trees that are ready to be sent; each is packed only once.
#[derive(Default)]
pub struct PackedTrees {
    commits: Mutex<BTreeMap<CommitAndRules, Arc<Packed>>>,
    /// Trees that aren't the tree of their commit, by the digest of their manifest.
    made: Mutex<BTreeMap<String, Arc<Packed>>>,
    parcels: Mutex<BTreeMap<ParcelKey, Arc<Outgoing>>>,
    manifests: Manifests,
}

/// A repository with a commit, and what of it is released.
type CommitAndRules = (String, TreeRules);

/// The digest of a manifest, how it is packed, and the lines that are sent of it; `None` for all.
type ParcelKey = (String, Packing, Option<String>);

/// What to build, and how to make a release from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildRequest {
    pub repository: String,
    /// 40 hex digits, or 64 by sha256.
    pub commit: String,
    /// The part of the folder to release.
    pub part: String,
    #[serde(flatten)]
    pub rules: TreeRules,
}

/// A build that is kept, and the run that made it.
#[derive(Serialize, Deserialize)]
struct KeptBuild {
    of: BuildRequest,
    run: String,
    packed: Packed,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The limits for builds, which later runs may deploy; a removed one is built again.
const BUILT: Bounds = Bounds { kept: DAY.saturating_mul(14), bytes: 20 << 30 };

/// The limits for parcels of commits; a removed one is packed again.
const COMMITS: Bounds = Bounds { kept: DAY, bytes: 8 << 30 };

impl PackedTrees {
    /// Returns a commit's tree if it is packed already. While another lane packs one, it isn't known.
    pub(crate) fn known(&self, repository: &str, commit: &str, rules: &TreeRules) -> Option<Arc<Packed>> {
        let key = (format!("{repository} {commit}"), rules.clone());
        self.commits.try_lock().ok()?.get(&key).cloned()
    }

    /// Packs a commit's tree, or returns it if it is packed already.
    pub fn pack(
        &self,
        repository: &str,
        commit: &str,
        rules: &TreeRules,
        cache: &Path,
    ) -> Result<Arc<Packed>, Failure> {
        let mut known = self.commits.lock().unwrap();
        let key = (format!("{repository} {commit}"), rules.clone());
        if let Some(packed) = known.get(&key) {
            return Ok(packed.clone());
        }
        let folder = made(&cache.join("packed"))?;
        bound(&folder, COMMITS);
        bound(&cache.join("lfs/objects"), COMMITS);
        sweep(cache);
        let repository = Repository::locate(repository, &cache.join("mirrors"))?;
        let packed = match kept::tree((&repository, commit, rules), &self.manifests, &folder, cache) {
            Some(packed) => packed,
            None => {
                let packed = pack(&repository, commit, rules, &folder, cache).map_err(Failure::from)?;
                self.manifests.keep(&packed.manifest_sha256, &packed.manifest, cache);
                kept::keep_tree(&packed, rules, &folder);
                packed
            }
        };
        let packed = Arc::new(packed);
        known.insert(key, packed.clone());
        Ok(packed)
    }

    /// Finds the manifest of a release that this machine packed, by its digest.
    pub(crate) fn manifest(&self, digest: &str, cache: &Path) -> Option<Arc<Manifest>> {
        self.manifests.find(digest, cache)
    }

    /// Makes a parcel with all of a tree, and waits for it.
    pub fn whole(&self, packed: &Packed, packing: Packing, cache: &Path) -> Result<Parcel, Failure> {
        packed.whole(&made(&cache.join("packed"))?, packing).map_err(Failure::from)
    }

    /// Begins what is sent to hosts: all of a tree, or what an earlier release lacks. Hosts that lack the same share it.
    ///
    /// All of a tree is packed while hosts already receive it.
    pub(crate) fn outgoing(
        &self,
        packed: &Arc<Packed>,
        lacking: Option<&Difference>,
        packing: Packing,
        cache: &Path,
    ) -> Result<Arc<Outgoing>, Failure> {
        let mut known = self.parcels.lock().unwrap();
        let part = |lacking: &Difference| format!("{}{}{:?}", lacking.gone, lacking.manifest, lacking.patched);
        let key = (packed.manifest_sha256.clone(), packing, lacking.map(part));
        // If another run has removed the parcel from the cache, it is made again.
        if let Some(outgoing) = known.get(&key).filter(|outgoing| outgoing.is_good()) {
            return Ok(outgoing.clone());
        }
        let folder = made(&cache.join("packed"))?;
        let ready = match lacking {
            Some(lacking) => Some(packed.part(lacking, &folder, packing)?),
            None => packed.ready(&folder, packing),
        };
        let outgoing = Arc::new(match ready {
            Some(parcel) => Outgoing::whole(parcel)?,
            None => Outgoing::begun(packed.tar_bytes(), packing),
        });
        if !outgoing.is_packed() {
            let (packed, own) = (packed.clone(), outgoing.clone());
            let work = move || own.end(whole_into(&packed, packing, &folder, &own));
            // If the system gives no thread, the hosts wait for it.
            if thread::Builder::new().name("packing".to_owned()).spawn(work.clone()).is_err() {
                work();
            }
        }
        known.insert(key, outgoing.clone());
        Ok(outgoing)
    }

    /// Packs the content of a folder, and remembers it by the digest of its manifest.
    pub(crate) fn pack_folder(
        &self,
        from: &Path,
        commit: &str,
        at: i64,
        linked: &[String],
        cache: &Path,
    ) -> Result<Arc<Packed>, Failure> {
        let folder = made(&cache.join("built"))?;
        bound(&folder, BUILT);
        let packed = Arc::new(pack_folder(from, commit, at, linked, &folder).map_err(Failure::from)?);
        self.manifests.keep(&packed.manifest_sha256, &packed.manifest, cache);
        self.made.lock().unwrap().insert(packed.manifest_sha256.clone(), packed.clone());
        Ok(packed)
    }

    /// Finds a build or an unpacked archive by the digest of its manifest.
    pub(crate) fn made(&self, manifest: &str) -> Option<Arc<Packed>> {
        self.made.lock().unwrap().get(manifest).cloned()
    }

    /// Finds a build that was kept; if `run` is given, only one that this run made.
    pub(crate) fn built(&self, of: &BuildRequest, run: Option<&str>, cache: &Path) -> Option<Arc<Packed>> {
        let text = fs::read(record(of, cache)).ok()?;
        let kept: KeptBuild = serde_json::from_slice(&text).ok()?;
        let PackedFrom::Parcel(whole) = &kept.packed.from else { return None };
        if !whole.is_whole() || kept.of != *of || run.is_some_and(|run| run != kept.run) {
            return None;
        }
        for file in [&whole.file, &record(of, cache)] {
            let _ = touch(file);
        }
        let packed = Arc::new(kept.packed);
        self.made.lock().unwrap().insert(packed.manifest_sha256.clone(), packed.clone());
        Some(packed)
    }

    /// Packs what a build left in a folder, and keeps it for later runs, too.
    pub(crate) fn keep(
        &self,
        of: &BuildRequest,
        folder: &Path,
        run: &str,
        cache: &Path,
    ) -> Result<Arc<Packed>, Failure> {
        let at = Tree::read(&Repository::locate(&of.repository, &cache.join("mirrors"))?, &of.commit)?.at;
        let packed = self.pack_folder(&part(folder, &of.part)?, &of.commit, at, &of.rules.linked, cache)?;
        let kept = KeptBuild { of: of.clone(), run: run.to_owned(), packed: (*packed).clone() };
        let place = record(of, cache);
        let text = serde_json::to_vec(&kept).expect("it is plain data");
        let write = || -> io::Result<()> {
            let mut file = TemporaryFile::make_in(place.parent().unwrap_or(cache))?;
            io::Write::write_all(&mut file, &text)?;
            file.persist(&place)
        };
        write().map_err(|e| Failure::failed(format!("`{}` can't be written: {e}", place.display())))?;
        Ok(packed)
    }
}

/// Packs all of a tree while hosts read it.
fn whole_into(packed: &Packed, packing: Packing, folder: &Path, outgoing: &Outgoing) -> Result<Parcel, Failure> {
    let all = || packed.all(folder, packing, Some(outgoing)).map_err(Failure::from);
    catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|_| Err(Failure::unknown("packing didn't finish")))
}

fn made(folder: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder).map_err(|e| Failure::failed(format!("`{}` can't be made: {e}", folder.display())))?;
    Ok(folder.to_owned())
}

/// Returns the file that describes a build.
fn record(of: &BuildRequest, cache: &Path) -> PathBuf {
    let text = serde_json::to_vec(of).expect("it is plain data");
    cache.join("built").join(format!("{}-{}.json", of.commit, &hex::encode(Sha256::digest(text))[..12]))
}

/// Finds the part of a folder, which must lie inside the folder.
pub(crate) fn part(folder: &Path, part: &str) -> Result<PathBuf, Failure> {
    let wrong = |why: &str| {
        let failure = Failure::failed(format!("what was made has no folder `{}`: {why}", shown(part)));
        failure.help("name the folder to release, relative to the top, such as `dist`")
    };
    let real = |path: &Path| path.canonicalize().map_err(|e| wrong(&e.to_string()));
    let (top, inside) = (real(folder)?, real(&folder.join(part))?);
    if !inside.starts_with(&top) {
        return Err(wrong("it is elsewhere"));
    }
    if inside.is_dir() { Ok(inside) } else { Err(wrong("it is a file")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{git::sample::Sample, port::Growing};

    #[test]
    fn a_build_is_kept_for_later_runs_and_only_for_what_it_was_made_of() {
        let sample = Sample::new();
        let (cache, built) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(built.path().join("dist")).unwrap();
        fs::write(built.path().join("dist/app.js"), "1").unwrap();
        let repository = sample.work.to_str().unwrap().to_owned();
        let commit = sample.git(&["rev-parse", "HEAD"]);
        let of = BuildRequest {
            repository,
            commit,
            part: "dist".into(),
            rules: TreeRules { linked: vec!["log".into()], ..TreeRules::default() },
        };
        let kept = PackedTrees::default().keep(&of, built.path(), "r1", cache.path()).unwrap();
        let names: Vec<&str> = kept.manifest.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(names, ["app.js", "log"]);

        let later = PackedTrees::default();
        assert_eq!(later.made(&kept.manifest_sha256), None);
        assert_eq!(later.built(&of, None, cache.path()), Some(kept.clone()));
        assert_eq!(later.made(&kept.manifest_sha256), Some(kept.clone()));
        assert_eq!(later.built(&of, Some("r2"), cache.path()), None, "that run is to build it itself");
        assert_eq!(later.built(&of, Some("r1"), cache.path()), Some(kept.clone()));
        let other = BuildRequest { part: ".".into(), ..of.clone() };
        assert_eq!(later.built(&other, None, cache.path()), None);
        fs::write(&kept.whole(cache.path(), Packing::Gzip).unwrap().file, "torn").unwrap();
        assert_eq!(later.built(&of, None, cache.path()), None, "an archive that isn't whole is made again");
    }

    /// Reads all of it, as a host does.
    async fn read(outgoing: &Outgoing) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = outgoing.read(all.len() as u64).await?;
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend(piece);
        }
    }

    /// Returns bytes that can't be compressed.
    fn noise(length: usize) -> Vec<u8> {
        let digests = (0_u64..).flat_map(|number| Sha256::digest(number.to_le_bytes()));
        digests.take(length).collect()
    }

    #[tokio::test]
    async fn if_a_tree_cannot_be_packed_to_its_end_all_its_hosts_fail_with_the_cause_and_it_is_packed_again_later() {
        let sample = Sample::new();
        sample.write("first", &noise(1 << 20));
        let commit = sample.commit("second", "content");
        let id = sample.git(&["rev-parse", "HEAD:second"]);
        let repository = sample.work.to_str().unwrap().to_owned();
        let (packs, cache) = (PackedTrees::default(), tempfile::tempdir().unwrap());
        let packed = packs.pack(&repository, &commit, &TreeRules::default(), cache.path()).unwrap();
        let begin = || packs.outgoing(&packed, None, Packing::Gzip, cache.path()).unwrap();
        let object = sample.work.join(".git/objects").join(&id[..2]).join(&id[2..]);
        fs::rename(&object, sample.work.join("away")).unwrap();
        let outgoing = begin();
        for said in [read(&outgoing).await, read(&outgoing).await] {
            assert_eq!(said.unwrap_err().to_string(), outgoing.failure().unwrap().message);
        }
        let message = outgoing.failure().unwrap().message;
        assert!(
            message.starts_with("the repository can't be read: `second`: ")
                && message.ends_with("(a partial clone lacks files)"),
            "{message}"
        );
        let files = || fs::read_dir(cache.path().join("packed")).unwrap().count();
        assert_eq!(files(), 1, "only what the tree is");

        fs::rename(sample.work.join("away"), &object).unwrap();
        let again = begin();
        let (one, other) = tokio::join!(read(&again), read(&again));
        let parcel = again.parcel();
        assert!(one.unwrap() == fs::read(&parcel.file).unwrap() && other.unwrap().len() as u64 == parcel.bytes);
        assert_eq!((again.total(), again.failure()), (Some(parcel.bytes), None));
        assert!(Arc::ptr_eq(&again, &begin()), "it is packed once");
        // A later run reads what is kept.
        let later = PackedTrees::default().outgoing(&packed, None, Packing::Gzip, cache.path()).unwrap();
        assert!(later.is_packed() && read(&later).await.unwrap().len() as u64 == parcel.bytes);
    }

    #[tokio::test]
    async fn a_tar_is_as_long_as_it_was_announced_also_if_it_is_compressed_in_another_way() {
        let (cache, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(folder.path().join("deep/".repeat(60))).unwrap();
        fs::write(folder.path().join("deep/".repeat(60)).join("file"), noise(5 << 20)).unwrap();
        std::os::unix::fs::symlink("deep", folder.path().join("link")).unwrap();
        let packs = PackedTrees::default();
        let packed = packs.pack_folder(folder.path(), &"1".repeat(40), 1, &["log".to_owned()], cache.path()).unwrap();
        for packing in [Packing::Zstd, Packing::Gzip] {
            let outgoing = packs.outgoing(&packed, None, packing, cache.path()).unwrap();
            let announced = outgoing.parcel().tar_bytes;
            let bytes = read(&outgoing).await.unwrap();
            assert_eq!((announced, bytes.len() as u64), (outgoing.parcel().tar_bytes, outgoing.parcel().bytes));
        }
    }

    #[test]
    fn the_part_of_a_build_that_is_released_lies_in_its_folder() {
        let outer = tempfile::tempdir().unwrap();
        let top = outer.path().join("top");
        fs::create_dir_all(top.join("dist")).unwrap();
        fs::create_dir(outer.path().join("other")).unwrap();
        fs::write(top.join("file"), "").unwrap();
        std::os::unix::fs::symlink("../other", top.join("out")).unwrap();
        let said = |name: &str| part(&top, name).map_err(|failure| failure.message);
        assert_eq!(said("dist/"), Ok(top.join("dist").canonicalize().unwrap()));
        assert_eq!(said("."), Ok(top.canonicalize().unwrap()));
        for (name, why) in [
            ("..", "it is elsewhere"),
            ("/tmp", "it is elsewhere"),
            ("out", "it is elsewhere"),
            ("file", "it is a file"),
            ("none", "No such file or directory (os error 2)"),
        ] {
            assert_eq!(said(name), Err(format!("what was made has no folder `{name}`: {why}")));
        }
    }
}
