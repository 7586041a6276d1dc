//! What is kept of runs on this machine.
mod entry;
mod index;
mod journal;
mod past;
mod record;
mod runs;
mod sqlite;
mod steps;

pub use entry::{Ending, Entry, Glance, glance};
pub use index::{Broken, Filter, Index, Label};
pub use journal::{Journal, Kept, read};
pub use past::{Known, Past};
pub use record::{Head, Record, Tail};
pub use runs::{Begun, Listed, Resumed, Runs, records};
pub use sqlite::Sqlite;
pub use steps::Steps;
