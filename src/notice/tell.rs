//! Tells a service something, in the background.
use super::{Delivery, outbox::Outbox};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Tells a service something. It returns at once: the message is delivered in the background.
///
/// Only the service is recorded, so a resumed run knows the message again although its text differs.
#[derive(Clone, Debug, Serialize)]
pub struct Tell {
    pub service: String,
    /// Whether a message is sent although it's the same as one before.
    #[serde(skip)]
    pub again: bool,
    #[serde(skip)]
    pub delivery: Delivery,
}

impl Effect for Tell {
    type Outcome = ();
    const NAME: &'static str = "tell";
    const KIND: EffectKind = EffectKind::Notice;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("tell {}", self.service)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        at.real.kept.get::<Outbox>().post(&self.service, self.delivery.clone(), self.again);
        Ok(())
    }

    /// A dry run tells nobody.
    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.here.changes.push(Effect::describe(self));
        Ok(())
    }
}
