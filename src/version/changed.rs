//! A file that another version changes.

/// A file before and after.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChangedText {
    pub path: String,
    pub before: String,
    pub after: String,
}
