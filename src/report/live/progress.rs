//! How far an effect is, and how fast.
use crate::model::Time;
use std::collections::VecDeque;

/// What a throughput is taken over.
const WINDOW: Time = 5_000;

/// How far an effect is.
pub struct EffectProgress {
    pub what: String,
    pub done: u64,
    pub total: u64,
    pub unit: &'static str,
    /// When how much was done, as far back as a throughput looks.
    pub(super) samples: VecDeque<(Time, u64)>,
}

impl EffectProgress {
    /// What was done each second of late; nothing while it is too early to say.
    pub fn rate(&self, now: Time) -> Option<u64> {
        let ((began, first), (_, last)) = (self.samples.front()?, self.samples.back()?);
        let took = now.saturating_sub(*began);
        (took >= 1_000).then(|| last.saturating_sub(*first) * 1_000 / took)
    }

    /// Forgets what is too long ago to count.
    pub fn look_back(&mut self, now: Time) {
        while self.samples.get(1).is_some_and(|(at, _)| at + WINDOW <= now) {
            self.samples.pop_front();
        }
    }
}
