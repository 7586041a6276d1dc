//! The folders that a fleet's paths start from.
use std::path::Path;

/// Where a fleet's paths start from.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// The fabfile's, for `repository`.
    pub project: &'a Path,
    /// The fleet file's, for `ssh` and `ca`.
    pub fleet: &'a Path,
}
