//! A request that may change something.
use super::{Answer, Request, exchange::exchanged, predicted::predicted};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// A request that may change something.
#[derive(Clone, Debug, Serialize)]
pub struct Send(pub Request);

impl Effect for Send {
    type Outcome = Answer;
    const NAME: &'static str = "http_send";
    const KIND: Kind = Kind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    /// What becomes of it on the other side no invariant can know, as of a command here.
    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        self.0.shown()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Answer, Failure> {
        self.0.judged(exchanged(&self.0, &at.real.stops).await?)
    }

    /// Only the server knows whether it was done: a person is asked.
    fn look(&self, _: Ask<'_>) -> Result<Seen<Answer>, Failure> {
        Ok(Seen::Cannot)
    }

    fn assumed(&self) -> Option<Answer> {
        Some(self.0.assumed())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Answer> {
        model.here.changes.push(self.0.shown());
        predicted(&self.0, model)
    }
}
