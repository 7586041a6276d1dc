//! Something that the model may not know.
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
}

pub type Predicted<T> = Result<T, Miss>;

impl From<Failure> for Miss {
    fn from(f: Failure) -> Self {
        Miss::Fails(f)
    }
}

/// A fact of the world: told from the start or by a read, predicted by a change, or neither.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub enum Fact<T> {
    #[default]
    Untold,
    Told(T),
    Predicted(T),
}

impl<T> Fact<T> {
    /// Returns the fact, or why the model doesn't have it; `what` names it for people.
    pub fn get(&self, what: &'static str) -> Predicted<&T> {
        match self {
            Fact::Told(t) | Fact::Predicted(t) => Ok(t),
            Fact::Untold => Err(Miss::Untold(what)),
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
