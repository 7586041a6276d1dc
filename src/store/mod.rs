//! What is kept of runs on this machine.
mod journal;
mod log;
mod logs;
mod past;
mod record;
mod runs;
mod unravel;

pub use journal::{Journal, Kept, read};
pub use log::Log;
pub use logs::Logs;
pub use past::{Fate, Known, Past, below};
pub use record::{Attempt, Head, Record, Tail};
pub use runs::{Resumed, Runs, Summary, records};
