//! A commit in a list for people.
use serde::{Deserialize, Serialize};

/// A commit in a list for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedCommit {
    /// 40 hex digits, or 64 with sha256.
    pub commit: String,
    pub subject: String,
    pub author: String,
    /// In seconds since 1970, by the committer's clock.
    pub at: i64,
}
