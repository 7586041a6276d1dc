//! Reads repositories with git2; fetches, commits and pushes by the user's own `git`.
//!
//! What a remote has is fetched into refs of rfab's own (`refs/rfab/heads/…`, `refs/rfab/tags/…`), so that the
//! user's branches, tags and remote-tracking refs stay as they were, and branches and tags mean the remote's. A
//! repository that has no remote is its own truth: there its own branches and tags are meant.
mod behind;
mod change;
mod changing;
mod date;
mod error;
mod fetch;
mod happened;
mod log;
mod names;
mod process;
mod reading;
mod repository;
mod resolve;
#[cfg(test)]
pub(crate) mod sample;
mod tree;

pub use behind::{Behind, ReadBehind};
pub use change::{Pushed, commit, merge, push, tag};
pub use changing::{Change, ChangeRepository};
pub use date::ReadDate;
pub use error::Error;
pub use fetch::fetch;
pub use happened::{Happened, ReadChange};
pub use log::{Between, Logged, log_between};
pub use names::{Named, Names, known, names};
pub use reading::{ReadLog, ReadNames, Resolve, app};
pub use repository::{Repository, Trust};
pub use resolve::{Ask, Kind, Resolved, resolve};
pub use tree::{Entry, EntryKind, Tree};
