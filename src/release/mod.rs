//! Packs a commit's tree, and holds what happens to it on a host.
//!
//! Here nothing is sent: `pack` makes an archive, `setup`, `stage`, `list`, `activate`, `prune` and `verify` make
//! the commands that a host runs, and each has a function that reads what its command answered. The format on the
//! host is told in `docs/release-format.md`.
mod activating;
mod adopting;
mod answer;
mod archive;
mod book;
mod building;
mod concluding;
mod error;
mod listing;
mod name;
mod numbering;
pub mod on_host;
mod preflight;
mod program;
mod sharing;
mod staging;
#[cfg(test)]
mod tests;
mod tree;
mod verifying;

pub use activating::{Activate, Prune, SetUp};
pub use adopting::{Adopt, Adopted};
pub use answer::{
    Activated, Current, Lacks, Listed, Pruned, Release, Staged, Verified, activated, listed, preflighted, pruned,
    set_up, staged, verified,
};
pub use archive::TakeArchive;
pub use book::ReadBook;
pub use building::{CheckOut, PackBuilt, ReadBuilt, ReadManifest, Sweep};
pub use concluding::ConcludeOnHost;
pub use error::{ANOTHER, Amount, Error, Problem};
pub use listing::{Home, Listing, ReadReleases};
pub use name::ReleaseName;
pub use numbering::Number;
pub use preflight::Preflight;
pub use program::{activate, adopt, list, prune, setup, share, stage, verify};
pub use sharing::{Share, shared};
pub use staging::Stage;
pub use tree::{Entry, Manifest, Packed, PackedTrees, Wanted, What, pack, pack_folder};
pub use verifying::Verify;
