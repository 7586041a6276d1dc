//! Reads repositories with git2, or with the user's `git` if git2 can't; `git` also fetches, commits and pushes.
//!
//! rfab fetches a remote's branches and tags into its own refs (`refs/rfab/heads/…`, `refs/rfab/tags/…`). So the user's
//! branches, tags and remote-tracking refs stay as they were, and a name means the remote's branch or tag. In a
//! repository without a remote, a name means the repository's own.
mod behind;
mod branch;
mod by_git;
mod by_libgit2;
mod cat_file;
mod change;
mod change_repository;
mod change_trace;
mod contains;
mod date;
mod entry;
mod error;
mod fetch;
mod id;
mod local;
mod locate;
mod log;
mod logged;
mod mirrors;
mod missing;
mod move_refs;
mod names;
mod open;
mod predicted_commit;
mod prepare_merge;
mod prepare_tag;
mod prepared;
mod process;
mod progress;
mod reading;
mod refs;
mod refused;
mod repository;
mod resolve;
#[cfg(test)]
pub(crate) mod sample;
mod settings;
mod switch;
#[cfg(test)]
mod tests;
mod tracked;
mod tree;
mod visible;
mod work_tree;
mod write;

pub use behind::{Behind, ReadBehind};
pub use change::Change;
pub use change_repository::ChangeRepository;
pub use change_trace::{ChangeTrace, ReadChange};
pub use contains::ReadContains;
pub use date::ReadDate;
pub use entry::{EntryKind, TreeEntry};
pub use error::GitError;
pub use fetch::fetch;
pub use local::ReadRef;
pub use log::{Between, log_between};
pub use logged::LoggedCommit;
pub use missing::complete;
pub use move_refs::{MoveRefs, RefMove};
pub use names::{NamedCommit, ReferenceNames};
use predicted_commit::predicted_commit;
pub use prepare_merge::PrepareMerge;
pub use prepare_tag::PrepareTag;
pub use progress::{FetchProgress, silent};
pub use reading::{ReadLog, ReadNames, Resolve, WITHIN, app, fetched, here};
pub use refs::{known, names};
pub use repository::{Repository, Trust};
pub use resolve::{ReferenceKind, ReferenceQuery, Resolved, resolve};
pub use settings::ReadSettings;
pub use switch::Switch;
pub use tracked::tracked;
pub use tree::Tree;
pub use work_tree::{ReadWorkTree, WorkTree};
pub use write::{Pushed, commit, merge, push, tag};
