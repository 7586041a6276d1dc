//! A commit's tree, ready to be sent.
use super::manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A commit's tree, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// A `.tar.gz` with `manifest` and `tree/` in it. The same commit and linked names give the same bytes.
    pub archive: PathBuf,
    pub archive_sha256: String,
    pub archive_bytes: u64,
    /// The archive's length before it was compressed.
    pub tar_bytes: u64,
    pub manifest: Manifest,
    pub manifest_sha256: String,
    /// How much of a disk it takes unpacked, in bytes, by blocks of 4 KiB.
    pub room: u64,
    /// Files in it, not counting links and folders.
    pub files: usize,
    /// Names of the commit that a linked name hides: they are not in the release.
    pub hidden: Vec<String>,
}
