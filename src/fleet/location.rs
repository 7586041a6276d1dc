//! Where something of a fleet was written.
use std::{ops::Range, sync::Arc};

/// Where it is wrong, and what to say there.
#[derive(Clone, Debug)]
pub(super) struct Location {
    /// The keys that lead there; empty for the whole.
    pub path: String,
    pub at: WrittenAt,
    pub label: String,
}

/// Where something was written.
#[derive(Clone, Debug)]
pub(super) enum WrittenAt {
    /// In the file, by bytes.
    File(Range<usize>),
    Map,
    /// On the command line, after `--set`.
    Set(String),
    /// By this command, which `hosts_from` names.
    Printed(Arc<str>),
}
