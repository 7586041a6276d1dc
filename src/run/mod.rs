//! Runs a line task by task, up to its closing table.
mod abort;
mod beginning;
mod closing;
mod connecting;
mod exit;
mod left;
mod listening;
mod next;
mod shown;
mod standings;
mod tasks;
mod unfit;

pub use abort::abort;
pub use closing::EndedRun;
pub use tasks::run;
