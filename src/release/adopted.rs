//! What another tool left in an app's folder.
use crate::control::shown;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What another tool left in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The tool that made the layout, for people; nothing if the folder is rfab's or empty.
    pub tool: Option<String>,
    /// The target of `current`, if that isn't one of rfab's releases.
    pub current: Option<String>,
    /// The commit in the current release's `REVISION`.
    pub commit: Option<String>,
    /// How many releases aren't rfab's.
    pub others: u64,
}

impl fmt::Display for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(tool) = &self.tool else { return write!(f, "nothing of another tool is there") };
        write!(f, "{tool}: {} releases", self.others)?;
        if let Some(current) = &self.current {
            write!(f, ", `current` points to {}", shown(current))?;
        }
        match &self.commit {
            Some(commit) => write!(f, " ({})", &commit[..12]),
            None => Ok(()),
        }
    }
}
