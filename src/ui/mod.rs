//! The person at the terminal, and the clock.
mod clock;
mod confirm;
mod consent;

pub use clock::{Now, Pause, Pausing, Wait};
pub use confirm::{Confirm, Prompt};
pub use consent::Consent;
