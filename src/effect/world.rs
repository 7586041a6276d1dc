//! Where effects happen.
use super::{Answered, Call, Lane};
use crate::{failure::Failure, fleet::Fleet, model::Time};
use std::sync::Arc;

/// What one lane does. It owns all it needs, so that a world may run it on a thread or on a stack of its own.
pub type Work = Box<dyn FnOnce() + Send>;

/// Where effects happen.
pub trait World: Send + Sync {
    fn name(&self) -> &'static str;

    /// Makes a fleet known, before anything of it is asked.
    fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure>;

    fn perform(&self, call: Call<'_>) -> Answered;

    /// Runs the lanes side by side, at most so many at once, and comes back when all have ended.
    fn side_by_side(&self, parent: &Arc<Lane>, lanes: Vec<(Arc<Lane>, Work)>, at_once: usize);

    /// Keeps the other lanes of this run away from `what` until the guard is dropped.
    fn alone<'a>(&'a self, call: Call<'a>, what: &str) -> Alone<'a>;

    /// The clock when the run begins.
    fn begins(&self) -> Time {
        0
    }

    /// Milliseconds since the run began, or on the simulated clock.
    fn now(&self, lane: &Lane) -> Time;
}

/// As long as this lives, no other lane of the run comes near.
pub struct Alone<'a>(Option<Box<dyn FnOnce() + 'a>>);

impl<'a> Alone<'a> {
    pub fn until_dropped(release: impl FnOnce() + 'a) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}
