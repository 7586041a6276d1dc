//! Reads repositories with git2, or where that cannot by the user's own `git`, which also fetches, commits and pushes.
//!
//! What a remote has is fetched into refs of rfab's own (`refs/rfab/heads/…`, `refs/rfab/tags/…`), so that the
//! user's branches, tags and remote-tracking refs stay as they were, and branches and tags mean the remote's. A
//! repository that has no remote is its own truth: there its own branches and tags are meant.
mod behind;
mod by_git;
mod change;
mod change_trace;
mod date;
mod error;
mod fetch;
mod first;
mod log;
mod mirrors;
mod missing;
mod names;
mod open;
mod process;
mod reading;
mod repository;
mod resolve;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use behind::{Behind, ReadBehind};
pub use change::{Change, ChangeRepository};
pub use change_trace::{ChangeTrace, ReadChange};
pub use date::ReadDate;
pub use error::Error;
pub use fetch::{Progress, fetch, silent};
pub use log::{Between, Logged, log_between};
pub use missing::complete;
pub use names::{Named, Names, known, names};
pub use reading::{ReadLog, ReadNames, Resolve, WITHIN, app, fetched};
pub use repository::{Repository, Trust};
pub use resolve::{Ask, Kind, Resolved, resolve};
pub use tree::{Entry, EntryKind, Tree};
pub use write::{Pushed, commit, merge, push, tag};
