//! Reads repositories with git2, or with the user's `git` if git2 can't; `git` also fetches, commits and pushes.
//!
//! rfab fetches a remote's branches and tags into its own refs (`refs/rfab/heads/…`, `refs/rfab/tags/…`). So the user's
//! branches, tags and remote-tracking refs stay as they were, and a name means the remote's branch or tag. In a
//! repository without a remote, a name means the repository's own.
mod ancestry;
mod behind;
mod branch;
mod by_git;
mod by_libgit2;
mod cat_file;
mod change;
mod change_repository;
mod change_trace;
mod date;
mod entry;
mod error;
mod fast_forward;
mod fetch;
mod id;
mod list_refs;
mod local;
mod locate;
mod log;
mod logged;
mod mirrors;
mod missing;
mod move_refs;
mod names;
mod open;
mod prepare_merge;
mod prepare_tag;
mod prepared;
mod process;
mod progress;
mod push_refs;
mod reading;
mod refs;
mod refused;
mod remote_refs;
mod repository;
mod resolve;
#[cfg(test)]
pub(crate) mod sample;
mod set_setting;
mod settings;
mod start_merge;
mod switch;
#[cfg(test)]
mod tests;
mod tree;
mod visible;
mod work_tree;
mod write;

pub use ancestry::{ReadAhead, ReadMergedAt};
pub use behind::{Behind, ReadBehind};
pub use change::Change;
pub use change_repository::ChangeRepository;
pub use change_trace::{ChangeTrace, ReadChange};
pub use date::ReadDate;
pub use entry::{EntryKind, TreeEntry};
pub use error::GitError;
pub use fast_forward::FastForward;
pub use fetch::fetch;
pub use list_refs::ListRefs;
pub use local::ReadRef;
pub use log::{Between, log_between};
pub use logged::LoggedCommit;
pub use missing::complete;
pub use move_refs::{MoveRefs, RefMove};
pub use names::{NamedCommit, ReferenceNames};
pub use prepare_merge::PrepareMerge;
pub use prepare_tag::PrepareTag;
pub use progress::{FetchProgress, silent};
pub use push_refs::PushRefs;
pub use reading::{ReadLog, ReadNames, Resolve, WITHIN, app, fetched};
pub use refs::{known, names};
pub use repository::{Repository, Trust};
pub use resolve::{ReferenceKind, ReferenceQuery, Resolved, resolve};
pub use set_setting::SetSetting;
pub use settings::ReadSettings;
pub use start_merge::StartMerge;
pub use switch::Switch;
pub use tree::Tree;
pub use work_tree::{ReadWorkTree, WorkTree};
pub use write::{Pushed, commit, merge, push, tag};
