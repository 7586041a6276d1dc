//! What was done, written where it was done.
mod book;
mod good;
pub mod line;
mod mark;
mod read;
mod run;
mod unfinished;
mod version;

pub use book::Book;
pub use good::{WITHDRAWN, bad, switch};
pub use line::{Line, Phase};
pub use mark::{Mark, MarkState, ReadMarks};
pub use read::{ReadLedger, place};
pub use run::SayRun;
pub use version::number_in;
