//! Asks once whether a host serves what it should.
use super::{Probe, asking::Asking, predicted::predicted, verdict::Verdict};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Asks once. It doesn't fail if the host doesn't answer or serves something else.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeOnce(pub Probe);

impl Read for ProbeOnce {
    type Outcome = bool;
    const NAME: &'static str = "probe_once";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.0.host)
    }

    fn describe(&self) -> String {
        format!("check whether it serves {}", self.0.expected.short())
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        let (_, verdict) = Asking::of(&self.0, at).await?.once().await?;
        Ok(matches!(verdict, Verdict::Good { .. }))
    }

    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        let now = model.now;
        let up = model.machine(&self.0.host)?.up_at.get("when its service is up")?.is_some_and(|at| at <= now);
        let (_, verdict) = predicted(&self.0, model)?;
        Ok(up && matches!(verdict, Verdict::Good { .. }))
    }
}
