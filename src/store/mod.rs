//! What is kept of runs on this machine.
mod entry;
mod folder;
mod index;
mod journal;
mod log;
mod logs;
mod meant;
mod past;
mod record;
mod rewind;
mod runs;
mod sqlite;
mod steps;
mod upkeep;

pub use entry::{Changed, Ending, Entry};
use entry::{RunSummary, glance};
pub use index::Filter;
pub use journal::{Journal, Kept, read};
pub use log::Log;
pub use logs::Logs;
pub use meant::Meant;
pub use past::{Fate, Known, Past, below};
pub use record::{Attempt, Head, Record, Tail};
pub use runs::{Begun, Listed, Resumed, Runs, records};
pub use steps::Steps;
