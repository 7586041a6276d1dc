//! A fact that a dry run may not know.
use super::Time;
use crate::failure::Failure;
use serde::Serialize;

/// Why the model can't predict an outcome.
#[derive(Debug)]
pub enum Miss {
    Fails(Failure),
    /// The effect isn't done yet; ask again at this time.
    Later(Time),
    /// No read has told the model.
    Untold(&'static str),
    /// A change that was only predicted may have changed it.
    Lost(String),
}

pub type Predicted<T> = Result<T, Miss>;

impl From<Failure> for Miss {
    fn from(f: Failure) -> Self {
        Miss::Fails(f)
    }
}

/// A fact about the world: read, predicted by a change, lost, or never read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub enum Fact<T> {
    #[default]
    Untold,
    Told(T),
    Predicted(T),
    Lost(String),
}

impl<T> Fact<T> {
    /// Returns the fact, or why the model doesn't have it; `what` names it for people.
    pub fn get(&self, what: &'static str) -> Predicted<&T> {
        match self {
            Fact::Told(t) | Fact::Predicted(t) => Ok(t),
            Fact::Untold => Err(Miss::Untold(what)),
            Fact::Lost(by) => Err(Miss::Lost(format!("{what}, after {by}"))),
        }
    }

    /// Sets the value that a real read returned. A value that was predicted since then stays.
    pub fn tell(&mut self, value: T) {
        if matches!(self, Fact::Untold | Fact::Told(_)) {
            *self = Fact::Told(value);
        }
    }

    pub fn predict(&mut self, value: T) {
        *self = Fact::Predicted(value);
    }
}
