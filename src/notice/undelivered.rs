//! Waits for the messages of a run.
use super::outbox::Outbox;
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Waits until the messages of the run have ended, and reads why some weren't delivered.
#[derive(Clone, Debug, Serialize)]
pub struct ReadUndelivered;

impl Read for ReadUndelivered {
    type Outcome = Vec<String>;
    const NAME: &'static str = "read_undelivered";

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        "wait for the run's messages".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        Ok(at.real.kept.get::<Outbox>().undelivered(&at.real.stops).await)
    }

    fn predict(&self, _: &mut Model) -> Predicted<Vec<String>> {
        Ok(Vec::new())
    }
}
