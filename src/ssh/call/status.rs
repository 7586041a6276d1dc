//! Statuses that no command can have.
/// The command was not begun.
pub const NOT_BEGUN: i32 = -1;
/// It was not, because the ledger cannot be written.
pub const UNWRITTEN: i32 = -2;
