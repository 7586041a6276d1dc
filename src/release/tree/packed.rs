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
    /// Files that are still encrypted, each with the tool that did it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encrypted: Vec<(String, String)>,
}

/// Warns about files that are still encrypted; nothing if there are none.
pub(crate) fn warning(encrypted: &[(String, String)]) -> Option<String> {
    let named: Vec<String> = encrypted.iter().map(|(path, tool)| format!("`{}` ({tool})", shown(path))).collect();
    let more = named.len().saturating_sub(10);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let files = named.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!named.is_empty()).then(|| format!("these files are released encrypted, as they were committed: {files}{more}"))
}
