//! Statuses that no command can have.
/// The command didn't begin.
pub(crate) const NOT_BEGUN: i32 = -1;
/// The command didn't begin, because the ledger can't be written.
pub(crate) const UNWRITTEN: i32 = -2;
