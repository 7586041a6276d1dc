//! Turns a commit, or a folder of this machine, into an archive that becomes a release.
mod archive;
mod attributes;
mod cache;
mod check;
mod check_out;
mod counted;
mod encrypted;
mod export;
mod fit;
mod folder;
mod lfs;
pub(super) mod linked;
mod manifest;
mod pack;
mod packed;
mod packs;
mod pattern;
mod source;

pub(crate) use check_out::check_out;
pub use manifest::{Manifest, ManifestEntry, ManifestKind};
pub(crate) use pack::{check, pack, pack_folder};
pub use packed::Packed;
pub(crate) use packed::warning;
pub use packs::Wanted;
pub(crate) use packs::{PackedTrees, part};
