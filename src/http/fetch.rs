//! A request that only reads.
use super::{HttpRequest, HttpResponse, exchange::exchanged, predicted::predicted};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// A request that only reads.
#[derive(Clone, Debug, Serialize)]
pub struct Fetch(pub HttpRequest);

impl Read for Fetch {
    type Outcome = HttpResponse;
    const NAME: &'static str = "http_fetch";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        self.0.shown()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<HttpResponse, Failure> {
        self.0.judged(exchanged(&self.0, &at.real.stops).await?)
    }

    fn predict(&self, model: &mut Model) -> Predicted<HttpResponse> {
        predicted(&self.0, model)
    }
}
