//! Checks whether a path exists on a host.
use super::{
    On,
    file::{PathKind, exists},
    model_file::lies,
};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Checks whether a path exists.
#[derive(Clone, Debug, Serialize)]
pub struct Exists {
    pub on: On,
    pub path: String,
}

impl Read for Exists {
    type Outcome = bool;
    const NAME: &'static str = "exists";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.on.host)
    }

    fn describe(&self) -> String {
        format!("check whether {} is there", self.path)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        exists(&at, &self.on, &self.path).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        Ok(lies(model, &self.on, &self.path)? != PathKind::Absent)
    }
}
