//! Checks whether a host serves what it should.
mod again;
mod answer;
mod asking;
mod expected;
mod inspect;
mod predicted;
mod probe;
mod probe_once;
mod proof;
mod read_expected;
mod says;
mod target;
mod tried;
mod verdict;
mod written;

pub use again::{Down, LookAgain};
pub use answer::ProbeAnswer;
pub use expected::Expected;
pub use inspect::{Inspect, InspectedHost};
pub use probe::{Probe, probed};
pub use probe_once::ProbeOnce;
pub use proof::Proof;
pub use read_expected::ReadExpected;
pub use tried::{Tried, TryProbe};
