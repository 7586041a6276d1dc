//! What was done, written where it was done.
mod book;
pub mod line;
mod mark;
mod read;
mod unfinished;

pub use book::Book;
pub use line::{Line, Phase};
pub use mark::{Mark, MarkState, ReadMarks};
pub use read::{ReadLedger, place};
