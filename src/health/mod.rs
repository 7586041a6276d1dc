//! Whether a host serves what it should.
mod again;
mod answer;
mod asking;
mod expected;
mod probe;
mod probe_once;
mod says;
mod target;
mod tried;

pub use again::{Down, LookAgain};
pub use answer::{Answer, Verdict, judged};
pub use expected::{Expected, ReadExpected, Written};
pub use probe::{Probe, Proof, probed};
pub use probe_once::{Inspect, ProbeOnce, Seen};
pub use says::{could_say, says};
pub use tried::{Tried, TryProbe};

/// How long one answer may take.
const ONE_ANSWER: std::time::Duration = std::time::Duration::from_secs(5);
