//! A request that may change something.
use super::{HttpRequest, HttpResponse, exchange::exchanged, predicted::predicted};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// A request that may change something.
#[derive(Clone, Debug, Serialize)]
pub struct Send(pub HttpRequest);

impl Effect for Send {
    type Outcome = HttpResponse;
    const NAME: &'static str = "http_send";
    const KIND: EffectKind = EffectKind::Once;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    /// No safety rule can know what the server does, as with a command on this machine.
    fn touch(&self) -> Touch<'_> {
        Touch::Here
    }

    fn describe(&self) -> String {
        self.0.shown()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<HttpResponse, Failure> {
        self.0.judged(exchanged(&self.0, &at.real.stops).await?)
    }

    /// Only the server knows whether it was done, so rfab asks the user.
    fn look(&self, _: Ask<'_>) -> Result<Happened<HttpResponse>, Failure> {
        Ok(Happened::Cannot)
    }

    fn assumed(&self) -> Option<HttpResponse> {
        Some(self.0.assumed())
    }

    fn predict(&self, model: &mut Model) -> Predicted<HttpResponse> {
        model.here.changes.push(self.0.shown());
        predicted(&self.0, model)
    }
}
