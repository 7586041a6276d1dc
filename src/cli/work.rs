//! What a run carries out.
use crate::{
    host::Name,
    line::CommandLine,
    store::{Journal, Record},
};

/// What a run carries out.
#[derive(Clone, Copy)]
pub(super) enum RunWork<'a> {
    Line(&'a CommandLine),
    /// The undoing of what another run did.
    Abort(&'a Aborted),
}

/// A run that is taken back; nobody else resumes it meanwhile.
pub(super) struct Aborted {
    pub run: Name,
    pub journal: Journal,
    pub records: Vec<Record>,
}

impl RunWork<'_> {
    /// Returns the command line's normal form.
    pub(super) fn line(self) -> String {
        match self {
            RunWork::Line(line) => line.to_string(),
            RunWork::Abort(aborted) => format!("--abort {}", aborted.run),
        }
    }

    /// Returns the words of the line that name hosts.
    pub(super) fn naming(self) -> String {
        match self {
            RunWork::Line(line) => line.naming(),
            RunWork::Abort(_) => String::new(),
        }
    }

    /// Returns the tasks, in the line's order.
    pub(super) fn tasks(self) -> Vec<Name> {
        match self {
            RunWork::Line(line) => line.calls.iter().map(|call| call.task.as_str().into()).collect(),
            RunWork::Abort(_) => Vec::new(),
        }
    }

    /// Returns the run to abort.
    pub(super) fn undoes(self) -> Option<Name> {
        match self {
            RunWork::Line(_) => None,
            RunWork::Abort(aborted) => Some(aborted.run.clone()),
        }
    }
}
