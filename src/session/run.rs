//! The facts about a run.
use super::Allowances;
use crate::{host::Name, secret::Masks};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU32},
};

/// What is known about a run from its start.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The run's id; ids are ordered by time.
    pub id: Name,
    /// The number of this attempt at the run; the first is 0.
    pub attempt: u32,
    /// The run that this one aborts.
    pub undoes: Option<Name>,
    /// The command line's normal form.
    pub line: String,
    /// The words of the line that name hosts; none if the default task does.
    pub naming: String,
    /// The folder of its fabfile.
    pub folder: PathBuf,
    /// The flags to repeat when the line is typed again.
    pub flags: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// When it began, in RFC 3339.
    pub since: String,
    pub allowed: Allowances,
    /// The commits that passed the gate in earlier attempts, each with the branch and the fleet that have the rules.
    pub passed: BTreeSet<[String; 3]>,
    /// The most lanes that run in parallel.
    pub parallel: usize,
    /// How many ledger lines it has made so far.
    pub lines: Arc<AtomicU32>,
    /// Its secrets.
    pub masks: Masks,
}
