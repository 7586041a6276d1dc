//! Where a part of a fleet was written.
use std::{ops::Range, sync::Arc};

/// A place of a fleet, with the words to show there.
#[derive(Clone, Debug)]
pub(super) struct Location {
    /// The keys that lead there; empty for the whole fleet.
    pub path: String,
    pub at: WrittenAt,
    pub label: String,
}

/// Where a part was written.
#[derive(Clone, Debug)]
pub(super) enum WrittenAt {
    /// In the file, between these bytes.
    File(Range<usize>),
    Map,
    /// On the command line, after `--set`.
    Set(String),
    /// In the output of this command, which `hosts_from` names.
    Printed(Arc<str>),
}
