//! Lane tails: the effects from a given one to the end of its lane, with all lanes that are forked there.
use crate::{host::Name, store::below};
use std::{collections::BTreeMap, sync::Mutex};

/// For each lane, the number of the first effect in its tail.
#[derive(Default)]
pub(super) struct LaneTails(Mutex<BTreeMap<Name, u32>>);

impl LaneTails {
    pub(super) fn begin(&self, lane: &Name, number: u32) {
        let mut begins = self.0.lock().unwrap();
        let begin = begins.entry(lane.clone()).or_insert(number);
        *begin = number.min(*begin);
    }

    /// Returns whether an effect is in a tail.
    pub(super) fn covers(&self, lane: &str, number: u32) -> bool {
        let begins = self.0.lock().unwrap();
        begins.iter().any(|(of, begin)| {
            let at = if **of == *lane { Some(number) } else { below(of, lane) };
            at.is_some_and(|at| at >= *begin)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_goes_to_the_end_of_its_lane_and_into_every_lane_that_is_forked_there() {
        let stretches = LaneTails::default();
        stretches.begin(&"1.release/4.web1".into(), 3);
        for (lane, number, covered) in [
            ("1.release/4.web1", 2, false),
            ("1.release/4.web1", 3, true),
            ("1.release/4.web1", 9, true),
            ("1.release/4.web1/2.web1", 9, false),
            ("1.release/4.web1/3.web1", 0, true),
            ("1.release/4.web10", 9, false),
            ("1.release/4.web1.example.org/7.a", 9, false),
            ("1.release", 9, false),
        ] {
            assert_eq!(stretches.covers(lane, number), covered, "{lane}#{number}");
        }
    }
}
