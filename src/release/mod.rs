//! Packs a commit's tree, and does everything that happens to a release on a host.
//!
//! `tree` makes an archive of a commit. Each verb has a file: its effect, the command that a host runs, and a function
//! that reads the answer. The format on the host is described in `docs/release-format.md`.
mod activate;
mod adopt;
mod adopted;
mod answer;
mod book;
mod check_out;
mod check_tree;
mod conclude;
mod content;
mod error;
mod held;
mod home;
mod list;
mod listed;
mod machine;
mod name;
mod number;
mod on_host;
mod pack_built;
mod packing;
mod preflight;
mod program;
mod prune;
mod read_built;
mod read_manifest;
mod sending;
mod sent;
mod set_up;
mod share;
mod stage;
mod staged;
mod sweep;
mod take_archive;
#[cfg(test)]
mod tests;
mod tree;
mod verify;
mod work;

pub use activate::{Activate, Activated, activate, activated};
pub use adopt::{Adopt, adopt};
pub use adopted::Adopted;
pub use book::ReadBook;
pub use check_out::CheckOut;
pub use check_tree::CheckTree;
pub use conclude::ConcludeOnHost;
pub use content::ReadContent;
pub use error::{ANOTHER, Amount, ReleaseError, TreeProblem};
pub use home::Home;
pub use list::{Listing, ReadReleases, list};
pub use listed::{Current, Listed, ListedRelease, listed};
pub use name::ReleaseName;
pub use number::RecordNumber;
pub use pack_built::PackBuilt;
pub use preflight::{Preflight, PreflightProblems};
pub use prune::{Prune, Pruned, prune, pruned};
pub use read_built::ReadBuilt;
pub use read_manifest::ReadManifest;
pub use sent::Sent;
pub use set_up::{SetUp, set_up, setup};
pub use share::{Share, shared};
pub use stage::Stage;
pub use staged::{Staged, stage, staged};
pub use sweep::Sweep;
pub use take_archive::TakeArchive;
pub(crate) use tree::pack;
#[cfg(test)]
pub(crate) use tree::pack_folder;
pub use tree::{BuildRequest, Manifest, ManifestEntry, ManifestKind, Packed, PackedTrees, Packing, Parcel};
pub use verify::{Verified, Verify, verified, verify};
