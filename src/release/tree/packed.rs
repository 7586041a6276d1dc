//! A tree that can be released, and where its content is read from.
use super::{
    archive::Archive,
    content::FileContent,
    difference::Difference,
    export::Exported,
    filling::commit_part,
    fit::{Item, fit},
    manifest::{Manifest, ManifestKind},
    odd::OddFiles,
    packing::Packing,
    parcel::{Contents, Parcel, ParcelWriter, Patches, named},
    patch::patch,
    readers::Readers,
    source::TreeSource,
};
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{GitError, Repository, Tree},
    release::error::ReleaseError,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// A tree that can be released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    pub manifest: Manifest,
    pub manifest_sha256: String,
    /// The space that it takes on a disk when it is unpacked, in bytes, in blocks of 4 KiB.
    pub room: u64,
    /// The number of files, without links and folders.
    pub files: usize,
    /// Names of the commit that a linked name hides: the release doesn't have them.
    pub hidden: Vec<String>,
    #[serde(flatten)]
    pub odd: OddFiles,
    pub(crate) from: PackedFrom,
}

/// Where the content of a tree is read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum PackedFrom {
    /// A commit, which is read again for each parcel.
    #[serde(skip)]
    Commit { repository: Repository, rules: TreeRules, cache: PathBuf, tar_bytes: u64 },
    /// A parcel with all of it.
    Parcel(Parcel),
}

impl Packed {
    /// Makes a parcel with all of the tree, in a file in `folder`, or finds it.
    pub(crate) fn whole(&self, folder: &Path, packing: Packing) -> Result<Parcel, ReleaseError> {
        self.ready(folder, packing).map_or_else(|| self.all(folder, packing, None), Ok)
    }

    /// Finds the parcel with all of the tree, if it is packed in this way.
    pub(super) fn ready(&self, folder: &Path, packing: Packing) -> Option<Parcel> {
        match &self.from {
            PackedFrom::Parcel(parcel) => (parcel.packing == packing).then(|| parcel.clone()),
            PackedFrom::Commit { .. } => {
                Parcel::kept(folder, &self.manifest.commit, &[("manifest", &self.manifest.text())], packing)
            }
        }
    }

    /// Returns the length of the tar with all of the tree.
    pub(super) fn tar_bytes(&self) -> u64 {
        match &self.from {
            PackedFrom::Parcel(parcel) => parcel.tar_bytes,
            PackedFrom::Commit { tar_bytes, .. } => *tar_bytes,
        }
    }

    /// Makes a parcel with all of the tree, in a file in `folder`, which `readers` read meanwhile.
    pub(super) fn all(
        &self,
        folder: &Path,
        packing: Packing,
        readers: Option<&dyn Readers>,
    ) -> Result<Parcel, ReleaseError> {
        let text = self.manifest.text();
        let beside = vec![("manifest", &*text)];
        let contents = Contents { wanted: &|_| true, earlier: &|_| None, patched: String::new(), beside, readers };
        match &self.from {
            PackedFrom::Parcel(parcel) => parcel.part(&contents, folder, packing),
            PackedFrom::Commit { .. } => self.of_commit(&contents, folder, packing),
        }
    }

    /// Makes a parcel with what an earlier release lacks, in a file in `folder`.
    pub(crate) fn part(&self, lacking: &Difference, folder: &Path, packing: Packing) -> Result<Parcel, ReleaseError> {
        let earlier = self.earlier(lacking);
        let contents = Contents {
            wanted: &|path| lacking.names.contains(path),
            earlier: &|path| {
                let sha256 = lacking.patched.get(path)?;
                earlier.as_ref()?.content(path).filter(|content| hex::encode(Sha256::digest(content)) == *sha256)
            },
            patched: lacking.patched.iter().flat_map(|(path, sha256)| [path.as_str(), sha256]).collect(),
            beside: vec![("gone", &lacking.gone), ("manifest", &lacking.manifest)],
            readers: None,
        };
        match &self.from {
            PackedFrom::Commit { .. } => self.of_kept(&contents, folder, packing),
            PackedFrom::Parcel(whole) => whole.part(&contents, folder, packing),
        }
    }

    /// Finds the tree of the earlier release on this machine, if files are patched.
    fn earlier(&self, lacking: &Difference) -> Option<EarlierTree> {
        if lacking.patched.is_empty() {
            return None;
        }
        let (commit, digest) = &lacking.earlier;
        match &self.from {
            PackedFrom::Commit { repository, rules, cache, .. } => {
                let tree = commit_part(Tree::read(repository, commit).ok()?, rules, cache).ok()?;
                Some(EarlierTree::Tree { tree, linked: rules.linked.clone() })
            }
            PackedFrom::Parcel(whole) => {
                let file = named(whole.file.parent()?, commit, digest, whole.packing);
                Some(EarlierTree::Parcel(Parcel { file, ..whole.clone() }))
            }
        }
    }

    /// Makes a parcel of a commit, or finds it. What is patched names a parcel only once it is made.
    fn of_kept(&self, contents: &Contents<'_>, folder: &Path, packing: Packing) -> Result<Parcel, ReleaseError> {
        if contents.patched.is_empty()
            && let Some(kept) = Parcel::kept(folder, &self.manifest.commit, &contents.beside, packing)
        {
            return Ok(kept);
        }
        self.of_commit(contents, folder, packing)
    }

    fn of_commit(&self, contents: &Contents<'_>, folder: &Path, packing: Packing) -> Result<Parcel, ReleaseError> {
        let PackedFrom::Commit { repository, rules, cache, .. } = &self.from else { unreachable!("only for commits") };
        let commit = &self.manifest.commit;
        let tree = commit_part(Tree::read(repository, commit)?, rules, cache)?;
        let unfit = |problems| ReleaseError::Unfit { commit: commit.clone(), problems };
        let mut archive = Archive::begin(&tree, folder, ParcelWriter::begin(folder, packing, contents.readers)?)?;
        let mut patches = Patches::default();
        for (path, item) in fit(&tree, &rules.linked)?.map_err(unfit)?.items {
            if !(contents.wanted)(&path) {
                continue;
            }
            if let Item::File(file, executable) = item
                && let Some(patch) = self.patch(&path, &tree, file, contents)
            {
                archive.add_patch(&patches.add(&path), executable, &patch)?;
                continue;
            }
            let what = archive.add(&path, item)?.map_err(|problem| unfit(vec![problem]))?;
            if self.what(&path) != Some(&what) {
                return Err(GitError::Read(format!("`{}`: it changed while it was read", shown(&path))).into());
            }
        }
        let beside = [&contents.beside[..], &patches.beside()].concat();
        let finished = archive.finish(&beside)?;
        finished.into.persist(commit, &beside, &contents.patched, finished.tar_bytes)
    }

    /// Makes a patch of a file whose release has the content of the commit.
    fn patch(&self, path: &str, tree: &TreeSource, file: Exported<'_>, contents: &Contents<'_>) -> Option<Vec<u8>> {
        let earlier = (contents.earlier)(path)?;
        let mut new = Vec::new();
        FileContent::of(tree, file).ok()?.ok()?.reader.read_to_end(&mut new).ok()?;
        let Some(ManifestKind::File { sha256, .. }) = self.what(path) else { return None };
        (hex::encode(Sha256::digest(&new)) == *sha256).then_some(())?;
        patch(&earlier, &new).ok()?
    }

    fn what(&self, path: &str) -> Option<&ManifestKind> {
        let at = self.manifest.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        Some(&self.manifest.entries[at].what)
    }
}

/// The tree of an earlier release on this machine.
enum EarlierTree {
    Tree { tree: TreeSource, linked: Vec<String> },
    Parcel(Parcel),
}

impl EarlierTree {
    fn content(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            EarlierTree::Parcel(parcel) => parcel.content(path),
            EarlierTree::Tree { tree, linked } => {
                let Item::File(file, _) = *fit(tree, linked).ok()?.ok()?.items.get(path)? else { return None };
                let mut content = Vec::new();
                FileContent::of(tree, file).ok()?.ok()?.reader.read_to_end(&mut content).ok()?;
                Some(content)
            }
        }
    }
}
