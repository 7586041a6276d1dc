//! A commit's tree, ready to be sent.
use super::manifest::Manifest;
use crate::control::shown;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A commit's tree, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// A `.tar.gz` that contains `manifest` and `tree/`. The same commit and linked names give the same bytes.
    pub archive: PathBuf,
    pub archive_sha256: String,
    pub archive_bytes: u64,
    /// The archive's length before compression.
    pub tar_bytes: u64,
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
}

/// Files that may not be what the app expects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OddFiles {
    /// Files that are still encrypted, each with the tool that did it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encrypted: Vec<(String, String)>,
    /// Pointers of git-lfs that no attribute of the commit makes ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<String>,
}

impl OddFiles {
    /// Warns about the files; nothing if there are none.
    pub(crate) fn warning(&self) -> Option<String> {
        let encrypted = self.encrypted.iter().map(|(path, tool)| format!("`{}` ({tool})", shown(path))).collect();
        let pointers = self.pointers.iter().map(|path| format!("`{}`", shown(path))).collect();
        let all = [
            named("these files are released encrypted, as they were committed", encrypted),
            named(
                "these files are released as git-lfs pointers, because no `.gitattributes` gives them to git-lfs",
                pointers,
            ),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Names the first files after a text; nothing if there are none.
fn named(what: &str, files: Vec<String>) -> Option<String> {
    let more = files.len().saturating_sub(10);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let first = files.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!files.is_empty()).then(|| format!("{what}: {first}{more}"))
}
