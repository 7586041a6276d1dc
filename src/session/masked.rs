//! Adds secrets to the run's masks when they are taken, and shows them to nobody.
use super::{InnerLayers, Layer};
use crate::{
    effect::{Answered, Call},
    event::{Event, EventKind, Listener},
    secret::{Masks, SHORTEST, Secret},
};
use std::sync::Arc;

/// A listener in front of all others, which removes secrets from events.
pub(super) struct Masked {
    pub masks: Masks,
    pub then: Arc<dyn Listener>,
}

impl Listener for Masked {
    fn tell(&self, event: &Event) {
        if self.masks.is_empty() {
            return self.then.tell(event);
        }
        let mut masked = event.clone();
        masked.what.mask(&self.masks);
        self.then.tell(&masked);
    }

    fn aside(&self, talk: &mut dyn FnMut()) {
        self.then.aside(talk);
    }
}

/// The layer that adds secrets to the masks before anything more is reported.
pub(super) struct Learns(pub Masks);

impl Layer for Learns {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let answered = rest.pass(call);
        // `as_any` on the box itself would return the box.
        let secret = answered.as_ref().ok().and_then(|answer| (**answer).as_any().downcast_ref::<Secret>());
        if let Some(secret) = secret
            && !self.0.add(secret)
        {
            let text = format!(
                "{}: it has fewer than {SHORTEST} characters, so it isn't masked where it is shown or kept",
                call.effect.describe()
            );
            call.lane.tell(EventKind::Warned { host: None, text });
        }
        answered
    }
}
