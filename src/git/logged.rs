//! One commit, for people.
use serde::{Deserialize, Serialize};

/// One commit, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedCommit {
    /// 40 hex digits, or 64 by sha256.
    pub commit: String,
    pub subject: String,
    pub author: String,
    /// Seconds since 1970, by the committer's clock.
    pub at: i64,
}
