//! Finds out what is at a path of a host.
use super::{
    On,
    file::{PathKind, lies},
    model_file,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Finds out what is at a path of a host.
#[derive(Clone, Debug, Serialize)]
pub struct InspectPath {
    pub on: On,
    pub path: String,
}

impl Read for InspectPath {
    type Outcome = PathKind;
    const NAME: &'static str = "look";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("check what is at {}", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<PathKind, Failure> {
        lies(&at, &self.on, &self.path).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<PathKind> {
        model_file::lies(model, &self.on, &self.path)
    }
}
