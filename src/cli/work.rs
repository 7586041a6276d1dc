//! What a run carries out.
use crate::{
    host::Name,
    line::Line,
    store::{Journal, Record},
};

/// What a run carries out.
#[derive(Clone, Copy)]
pub enum Work<'a> {
    Line(&'a Line),
    /// What another run did is taken back.
    Abort(&'a Aborted),
}

/// A run that is taken back; nobody else resumes it meanwhile.
pub struct Aborted {
    pub run: Name,
    pub journal: Journal,
    pub records: Vec<Record>,
}

impl Work<'_> {
    /// The command line's normal form.
    pub fn line(self) -> String {
        match self {
            Work::Line(line) => line.to_string(),
            Work::Abort(aborted) => format!("--abort {}", aborted.run),
        }
    }

    /// The words of the line that name hosts.
    pub fn naming(self) -> String {
        match self {
            Work::Line(line) => line.naming(),
            Work::Abort(_) => String::new(),
        }
    }

    /// The tasks, in the line's order.
    pub fn tasks(self) -> Vec<Name> {
        match self {
            Work::Line(line) => line.calls.iter().map(|call| call.task.as_str().into()).collect(),
            Work::Abort(_) => Vec::new(),
        }
    }

    /// The run that is taken back.
    pub fn undoes(self) -> Option<Name> {
        match self {
            Work::Line(_) => None,
            Work::Abort(aborted) => Some(aborted.run.clone()),
        }
    }
}
