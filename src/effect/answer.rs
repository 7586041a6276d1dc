//! The outcome of an effect with its type erased.
use crate::failure::Failure;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::any::Any;

/// An outcome, which becomes JSON only on request.
pub trait AnyOutcome: Send + Sync {
    fn json(&self) -> Box<RawValue>;
    fn any(self: Box<Self>) -> Box<dyn Any>;
    fn as_any(&self) -> &dyn Any;
}

impl<T: Serialize + Clone + Send + Sync + 'static> AnyOutcome for T {
    fn json(&self) -> Box<RawValue> {
        to_raw_value(self).expect("an outcome is plain data")
    }

    fn any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub type Answered = Result<Box<dyn AnyOutcome>, Failure>;
