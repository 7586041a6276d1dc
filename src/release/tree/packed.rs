//! A tree that can be released, and where its content is read from.
use super::{
    archive::Archive,
    difference::Difference,
    fit::fit,
    manifest::Manifest,
    parcel::{Parcel, ParcelWriter},
    source::TreeSource,
};
use crate::{
    control::shown,
    fleet::TreeRules,
    git::{GitError, Repository, Tree},
    release::error::ReleaseError,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

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
    /// Files that are still encrypted, each with the tool that did it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encrypted: Vec<(String, String)>,
    pub(crate) from: PackedFrom,
}

/// Where the content of a tree is read from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum PackedFrom {
    /// A commit, which is read again for each parcel.
    #[serde(skip)]
    Commit {
        repository: Repository,
        rules: TreeRules,
    },
    /// A parcel with all of it.
    Parcel(Parcel),
}

impl Packed {
    /// Warns about files that are still encrypted; nothing if there are none.
    pub(crate) fn warning(&self) -> Option<String> {
        let named: Vec<String> =
            self.encrypted.iter().map(|(path, tool)| format!("`{}` ({tool})", shown(path))).collect();
        let more = named.len().saturating_sub(10);
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        let files = named.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
        (!named.is_empty())
            .then(|| format!("these files are released encrypted, as they were committed: {files}{more}"))
    }

    /// Makes a parcel with all of the tree, in a file in `folder`.
    pub(crate) fn whole(&self, folder: &Path) -> Result<Parcel, ReleaseError> {
        match &self.from {
            PackedFrom::Parcel(parcel) => Ok(parcel.clone()),
            PackedFrom::Commit { .. } => {
                self.from_commit(folder, |_| true, &[("manifest", &self.manifest.text())])
            }
        }
    }

    /// Makes a parcel with what an earlier release lacks, in a file in `folder`.
    pub(crate) fn part(&self, lacking: &Difference, folder: &Path) -> Result<Parcel, ReleaseError> {
        let beside = [("gone", &*lacking.gone), ("manifest", &*lacking.manifest)];
        match &self.from {
            PackedFrom::Commit { .. } => self.from_commit(folder, |path| lacking.names.contains(path), &beside),
            PackedFrom::Parcel(whole) => whole.part(|path| lacking.names.contains(path), &beside, folder),
        }
    }

    fn from_commit(
        &self,
        folder: &Path,
        wanted: impl Fn(&str) -> bool,
        beside: &[(&str, &str)],
    ) -> Result<Parcel, ReleaseError> {
        let PackedFrom::Commit { repository, rules } = &self.from else { unreachable!("only for commits") };
        let commit = &self.manifest.commit;
        let tree = TreeSource::commit_part(Tree::read(repository, commit)?, rules.tree.as_deref())?;
        let unfit = |problems| ReleaseError::Unfit { commit: commit.clone(), problems };
        let mut archive = Archive::begin(&tree, folder, ParcelWriter::begin(folder)?)?;
        for (path, item) in fit(&tree, &rules.linked)?.map_err(unfit)?.items {
            if !wanted(&path) {
                continue;
            }
            let what = archive.add(&path, item)?.map_err(|problem| unfit(vec![problem]))?;
            let at = self.manifest.entries.binary_search_by(|entry| entry.path.as_str().cmp(&path));
            if !at.is_ok_and(|at| self.manifest.entries[at].what == what) {
                return Err(GitError::Read(format!("`{}`: it changed while it was read", shown(&path))).into());
            }
        }
        let finished = archive.finish(beside)?;
        finished.into.persist(commit, beside, finished.tar_bytes)
    }
}
