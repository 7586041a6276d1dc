//! Why hosts were left as they are.
use crate::failure::Failure;

/// Why hosts were left as they are and need a person.
#[derive(Clone, Debug)]
pub enum LeftOut {
    /// As a rule or a script words it.
    Why(String),
    /// Something that couldn't be asked or done.
    Failed(Box<Failure>),
}

impl LeftOut {
    /// Whether it says the same as another.
    pub fn is_like(&self, other: &LeftOut) -> bool {
        match (self, other) {
            (LeftOut::Why(why), LeftOut::Why(other)) => why == other,
            (LeftOut::Failed(failure), LeftOut::Failed(other)) => failure.is_like(other),
            _ => false,
        }
    }
}
