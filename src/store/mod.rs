//! What is kept of runs on this machine.
mod journal;
mod past;
mod record;
mod runs;

pub use journal::{Journal, Kept, read};
pub use past::{Known, Past};
pub use record::{Head, Record, Tail};
pub use runs::{Resumed, Runs, Summary, records};
