//! How far an effect is, and how fast.
use crate::model::Time;
use std::collections::VecDeque;

/// The period over which a throughput is measured.
const WINDOW: Time = 5_000;

/// How far an effect is.
pub(super) struct EffectProgress {
    pub what: String,
    pub done: u64,
    pub total: u64,
    pub unit: &'static str,
    /// Pairs of a time and the amount done by then, for the period of the throughput.
    pub(super) samples: VecDeque<(Time, u64)>,
}

impl EffectProgress {
    /// Returns the recent amount per second; nothing if it is too early to tell.
    pub(super) fn rate(&self, now: Time) -> Option<u64> {
        let ((began, first), (_, last)) = (self.samples.front()?, self.samples.back()?);
        let took = now.saturating_sub(*began);
        (took >= 1_000).then(|| last.saturating_sub(*first) * 1_000 / took)
    }

    /// Forgets samples that are too old to count.
    pub(super) fn look_back(&mut self, now: Time) {
        while self.samples.get(1).is_some_and(|(at, _)| at + WINDOW <= now) {
            self.samples.pop_front();
        }
    }
}
