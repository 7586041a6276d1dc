//! Messages to people and services outside, which are sent in the background.
mod delivery;
mod outbox;
mod tell;
mod undelivered;

pub use delivery::Delivery;
pub use tell::Tell;
pub use undelivered::ReadUndelivered;
