//! The ledger: a record of changes, kept where they were made.
mod begun;
mod book;
mod good;
pub mod line;
mod telling;
mod unfinished;
mod version;

pub use begun::OnceBegun;
pub use book::{Book, called, is_digest};
pub use good::{WITHDRAWN, bad, is_bad, of_host, reserved, switch};
pub use line::{LedgerLine, Phase};
pub use version::number_in;
