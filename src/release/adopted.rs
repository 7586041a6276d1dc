//! What another tool left in an app's folder.
use crate::control::shown;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was found in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Whose layout it is, for people; nothing for a folder that is rfab's or empty.
    pub tool: Option<String>,
    /// Where `current` points, if it is no release of rfab's.
    pub current: Option<String>,
    /// The commit that its `REVISION` names.
    pub commit: Option<String>,
    /// How many releases there are that are not rfab's.
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
