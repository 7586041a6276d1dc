//! One look at what a host serves.
use super::Probe;
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Asks once; a host that does not answer, or serves something else, is no failure.
#[derive(Clone, Debug, Serialize)]
pub struct Glance(pub Probe);

impl Effect for Glance {
    type Outcome = bool;
    const NAME: &'static str = "glance";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.0.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("look whether it serves {}", &self.0.commit[..self.0.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<bool, Failure> {
        self.0.ask_once(&at.real.site(&self.0.host.fleet)).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<bool> {
        let now = model.now;
        let sick = model.sick.contains(&self.0.commit);
        let machine = model.machine(&self.0.host)?;
        let up = machine.up_at.get("when its service is up")?.is_some_and(|at| at <= now);
        let running = machine.running.get("the running release")?.as_deref();
        let right = running.is_some_and(|running| self.0.is_answered_by(running));
        Ok(up && right && !sick)
    }
}
