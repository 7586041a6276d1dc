//! What was done, written where it was done.
mod book;
mod good;
pub mod line;
mod mark;
mod question;
mod read;
mod run;
mod telling;
mod unfinished;
mod version;

pub use book::Book;
pub use good::{WITHDRAWN, bad, reserved, switch};
pub use line::{Line, Phase};
pub use mark::{Mark, MarkState, ReadMarks};
pub use question::{
    Called, Consult, Histories, NumberOf, Question, ReasonsBefore, Releasing, Standing, Summed, Switched,
};
pub use read::{ReadLedger, place};
pub use run::SayRun;
pub use version::number_in;
