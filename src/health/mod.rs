//! Whether a host serves what it should.
mod answer;
mod glance;
mod probe;

pub use answer::{Answer, says};
pub use glance::Glance;
pub use probe::{Probe, Proof, probed};
