//! The world in which nothing happens: a task can name a fleet there, and do nothing else.
use super::{real::RealWorld, threads};
use crate::{
    effect::{Alone, Answered, Call, EffectKind, Lane, LaneWork, Subject, World},
    failure::Failure,
    fleet::Fleet,
    model::Time,
};
use std::sync::Arc;

/// Refuses every effect, except reads of this machine if `here` is given.
#[derive(Default)]
pub struct Nowhere {
    /// The world that runs a fleet's `hosts_from`; none while a line is completed.
    pub here: Option<RealWorld>,
}

impl World for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn admit(&self, _: &Arc<Fleet>) -> Result<(), Failure> {
        Ok(())
    }

    fn perform(&self, call: Call<'_>) -> Answered {
        if let (Some(here), EffectKind::Read, Subject::Here) = (&self.here, call.effect.kind(), call.effect.subject()) {
            return here.perform(call);
        }
        let message = format!("a task that names hosts can't do anything else here: {}", call.effect.describe());
        Err(Failure::refused(message).help("name the hosts without `out` or `live`"))
    }

    fn side_by_side(&self, _: &Arc<Lane>, lanes: Vec<(Arc<Lane>, LaneWork)>, at_once: usize) {
        threads::run(lanes.into_iter().map(|(_, work)| work).collect(), at_once);
    }

    fn alone<'a>(&'a self, _: Call<'a>, _: &str) -> Alone<'a> {
        Alone::until_dropped(|| ())
    }

    fn now(&self, _: &Lane) -> Time {
        0
    }
}
