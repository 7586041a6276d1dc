//! The id of an effect in a run.
use std::fmt;

/// The id of an effect in a run, with the attempt that began it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Id<'a> {
    pub lane: &'a str,
    pub number: u32,
    pub attempt: u32,
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.lane, self.number)?;
        if self.attempt > 0 { write!(f, ".{}", self.attempt) } else { Ok(()) }
    }
}
