//! Messages to people and services outside, which are sent beside the run.
mod delivery;
mod outbox;
mod tell;
mod undelivered;

pub use delivery::Delivery;
pub use tell::Tell;
pub use undelivered::ReadUndelivered;
