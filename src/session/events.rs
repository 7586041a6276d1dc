//! Reports the start and end of each effect to the listener; begins no more effects in an interrupted run.
use super::{InnerLayers, Layer, Observed, Run, Stop};
use crate::{
    effect::{Answered, Call, EffectKind},
    event::EventKind,
    failure::{Cause, Failure},
};
use std::sync::Arc;

pub(super) struct Events {
    pub stopped: Arc<Stop>,
    pub run: Arc<Run>,
    pub observed: Arc<Observed>,
    /// Whether an earlier attempt changed something.
    pub changed_before: bool,
}

impl Events {
    /// Returns the failure as this run must word it.
    fn told(&self, failure: Failure) -> Failure {
        let failure = failure.naming(&self.run.naming);
        if self.changed_before || self.observed.changed() { failure.after_changes() } else { failure }
    }
}

impl Layer for Events {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let (effect, lane) = (call.effect, call.lane);
        if self.stopped.signal().is_some() && !lane.deferred && effect.kind() != EffectKind::Hold {
            return Err(Failure::new(Cause::Interrupted, "interrupted"));
        }
        let (name, kind, text, host) = (
            effect.name(),
            effect.kind(),
            self.observed.names.told(&effect.describe()),
            effect.subject().host().cloned(),
        );
        lane.tell(EventKind::EffectStarted { effect: name, kind, host: host.clone(), text: text.clone() });
        let began = rest.world().now(lane);
        let answered = rest.pass(call).map_err(|failure| self.told(failure));
        let took = rest.world().now(lane).saturating_sub(began);
        let failure = answered.as_ref().err().cloned();
        lane.tell(EventKind::EffectFinished { effect: name, kind, host, text, took, failure });
        answered
    }
}
