//! What was done, written where it was done.
mod book;
mod conclude;
mod good;
pub mod line;
mod mark;
mod owner;
mod question;
mod read;
mod run;
mod telling;
mod unfinished;
mod version;

pub use book::{Book, called};
pub use conclude::Conclude;
pub use good::{WITHDRAWN, bad, is_bad, of_host, reserved, switch};
pub use line::{Line, Phase};
pub use mark::{Mark, MarkState, ReadMarks};
pub use owner::{Owner, ReadOwner, SayOwner, foreign};
pub use question::{
    Called, Calling, Consult, Good, Histories, NumberOf, Question, ReasonsBefore, Releasing, Standing, Summary, Summed,
    Switched,
};
pub use read::{ReadLedger, place};
pub use run::SayRun;
pub use version::number_in;
