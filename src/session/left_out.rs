//! Why hosts were left unchanged.
use crate::failure::Failure;

/// Why hosts were left unchanged and need a person.
#[derive(Clone, Debug)]
pub enum LeftOut {
    /// As a rule or a script words it.
    Why(String),
    /// Something that couldn't be asked or done.
    Failed(Box<Failure>),
}

impl LeftOut {
    /// Returns whether it has the same text as another.
    pub fn is_like(&self, other: &LeftOut) -> bool {
        match (self, other) {
            (LeftOut::Why(why), LeftOut::Why(other)) => why == other,
            (LeftOut::Failed(failure), LeftOut::Failed(other)) => failure.is_like(other),
            _ => false,
        }
    }
}
