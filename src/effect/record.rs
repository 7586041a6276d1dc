//! An effect and its outcome with their types erased, for the layers.
use super::{Ask, At, Effect, Kind, Seen, Story, Subject, Touch};
use crate::{
    failure::Failure,
    model::{Model, Predicted},
    secret::Key,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::{any::Any, pin::Pin};

/// An outcome; JSON only if somebody asks.
pub trait Answer: Send + Sync {
    fn json(&self) -> Box<RawValue>;
    fn any(self: Box<Self>) -> Box<dyn Any>;
    fn as_any(&self) -> &dyn Any;
}

impl<T: Serialize + Clone + Send + Sync + 'static> Answer for T {
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

pub type Answered = Result<Box<dyn Answer>, Failure>;

/// An effect.
pub trait Record: Send + Sync {
    fn name(&self) -> &'static str;
    fn kind(&self) -> Kind;
    fn subject(&self) -> Subject<'_>;
    fn touch(&self) -> Touch<'_>;
    fn describe(&self) -> String;
    fn story(&self) -> Story;
    /// What the journal keeps of it; a secret is a keyed digest there.
    fn recorded(&self, key: &Key) -> Box<RawValue>;
    fn answer(&self, json: &RawValue) -> Answered;
    fn carry_out<'a>(&'a self, at: At<'a>) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;
    fn predict(&self, model: &mut Model) -> Predicted<Box<dyn Answer>>;
    fn look(&self, ask: Ask<'_>) -> Result<Seen<Box<dyn Answer>>, Failure>;
    fn assumed(&self) -> Option<Box<dyn Answer>>;
    fn learn(&self, answer: &dyn Answer, model: &mut Model);
    /// The effect itself, for a layer that knows its type.
    fn as_any(&self) -> &dyn Any;
}

impl<E: Effect + 'static> Record for E {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn kind(&self) -> Kind {
        E::KIND
    }

    fn subject(&self) -> Subject<'_> {
        Effect::subject(self)
    }

    fn touch(&self) -> Touch<'_> {
        Effect::touch(self)
    }

    fn describe(&self) -> String {
        Effect::describe(self)
    }

    fn story(&self) -> Story {
        Effect::story(self)
    }

    fn recorded(&self, key: &Key) -> Box<RawValue> {
        let open = serde_json::to_value(self).expect("an effect is plain data");
        to_raw_value(&key.seal(open)).expect("a value is plain data")
    }

    fn answer(&self, json: &RawValue) -> Answered {
        match serde_json::from_str::<E::Outcome>(json.get()) {
            Ok(outcome) => Ok(Box::new(outcome)),
            Err(e) => Err(Failure::failed(format!("the recorded outcome of `{}` doesn't fit: {e}", E::NAME))),
        }
    }

    fn carry_out<'a>(&'a self, at: At<'a>) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>> {
        Box::pin(async move { Ok(Box::new(Effect::carry_out(self, at).await?) as Box<dyn Answer>) })
    }

    fn predict(&self, model: &mut Model) -> Predicted<Box<dyn Answer>> {
        Effect::predict(self, model).map(|o| Box::new(o) as Box<dyn Answer>)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<Box<dyn Answer>>, Failure> {
        Ok(Effect::look(self, ask)?.map(|o| Box::new(o) as Box<dyn Answer>))
    }

    fn assumed(&self) -> Option<Box<dyn Answer>> {
        Effect::assumed(self).map(|o| Box::new(o) as Box<dyn Answer>)
    }

    fn learn(&self, answer: &dyn Answer, model: &mut Model) {
        if let Some(outcome) = answer.as_any().downcast_ref() {
            Effect::learn(self, outcome, model);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
