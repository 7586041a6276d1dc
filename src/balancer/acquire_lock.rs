//! Takes a fleet's lock before anything about the fleet is decided.
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Changes nothing, but passes the door like a change: a guarded fleet asks for a yes, and the run takes the lock.
#[derive(Clone, Serialize)]
pub struct AcquireLock {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl Effect for AcquireLock {
    type Outcome = ();
    const NAME: &'static str = "claim";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        format!("claim {}", self.fleet.name)
    }

    async fn carry_out(&self, _: At<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn predict(&self, _: &mut Model) -> Predicted<()> {
        Ok(())
    }
}
