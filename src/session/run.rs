//! What a run is.
use super::Allowances;
use crate::{host::Name, secret::Masks};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU32},
};

/// What is known of a run from its start.
#[derive(Clone, Debug)]
pub struct Run {
    /// Time-ordered.
    pub id: Name,
    /// Which attempt at it this is; the first is 0.
    pub attempt: u32,
    /// The run that this one gives up.
    pub undoes: Option<Name>,
    /// The command line's normal form.
    pub line: String,
    /// The words of the line that name hosts; none where the default task does.
    pub naming: String,
    /// The folder that its fabfile lies in.
    pub folder: PathBuf,
    /// The flags that belong to it when it is typed again.
    pub flags: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// RFC 3339.
    pub since: String,
    pub allowed: Allowances,
    /// The most lanes that run side by side.
    pub parallel: usize,
    /// How many lines it has for ledgers so far.
    pub lines: Arc<AtomicU32>,
    /// What it knows that nobody may see.
    pub masks: Masks,
}
