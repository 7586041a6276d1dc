//! What a release cost on its way to a host.
use super::ReleaseName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was sent to stage a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The bytes of the program and of what it read, without those of ssh.
    pub sent_bytes: u64,
    /// The earlier release that the host took the rest from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upon: Option<ReleaseName>,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kB sent", self.sent_bytes.div_ceil(1000))?;
        match &self.upon {
            Some(release) => write!(f, ", the rest is from {release}"),
            None => Ok(()),
        }
    }
}
