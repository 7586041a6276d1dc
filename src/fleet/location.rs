//! Where something of a fleet was written.
use std::{ops::Range, sync::Arc};

/// Where it is wrong, and what to say there.
#[derive(Clone, Debug)]
pub(super) struct Location {
    /// The keys that lead there; empty for the whole.
    pub path: String,
    pub at: At,
    pub label: String,
}

/// Where something was written.
#[derive(Clone, Debug)]
pub(super) enum At {
    /// In the file, by bytes.
    File(Range<usize>),
    Map,
    /// On the command line, after `--set`.
    Set(String),
    /// By this command, which `hosts_from` names.
    Printed(Arc<str>),
}
