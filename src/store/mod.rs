//! What is kept of runs on this machine.
mod entry;
mod folder;
mod index;
mod journal;
mod past;
mod record;
mod runs;
mod sqlite;
mod steps;
mod upkeep;

pub use entry::{Ending, Entry};
use entry::{Glance, glance};
pub use index::Filter;
pub use journal::{Journal, Kept, read};
pub use past::{Known, Past};
pub use record::{Head, Record, Tail};
pub use runs::{Begun, Listed, Resumed, Runs, records};
pub use steps::Steps;
