//! Effects that read ledgers, and that write what isn't about one change of a host.
mod conclude;
mod mark;
mod owner;
mod pass_gate;
mod question;
mod read;
mod run;

pub use conclude::Conclude;
pub use mark::{Mark, MarkState, ReadMarks};
pub use owner::{Owner, ReadHome, RecordOwner, foreign};
pub use pass_gate::PassGate;
pub use question::{
    BegunOnce, CalledCommit, Calling, Consult, GoodByHost, Histories, HostPoolStates, NumberOf, Question,
    ReasonsBefore, ReleasedAs, Releasing, Summary, Summed, Switched,
};
pub use read::{ReadLedger, place};
pub use run::RecordRun;
