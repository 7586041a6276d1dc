//! Finds runs without reading their journals.
use super::entry::{Ending, RunEntry, RunSummary};
use crate::host::Name;

/// An index of runs: it holds what the journals contained when they were last read, and can always be built again from
/// them.
///
/// On one machine it is a file; for a team it could be a server.
pub(super) trait Index {
    /// Stores what is known about runs, in place of what was stored before.
    fn put(&mut self, runs: &[RunSummary]) -> Result<(), Broken>;

    fn forget(&mut self, runs: &[Name]) -> Result<(), Broken>;

    /// Returns the matching runs, the newest first, at most `most` of them.
    fn list(&mut self, filter: &Filter, most: usize) -> Result<Vec<RunSummary>, Broken>;

    /// Returns up to two of the runs with ids that begin like this.
    fn find(&mut self, beginning: &str) -> Result<Vec<RunEntry>, Broken>;

    /// Returns every run with the size of its journal when it was read; or only the unfinished ones.
    fn known(&mut self, unfinished: bool) -> Result<Vec<(Name, u64)>, Broken>;

    /// Returns the fleets, or the tasks, that any run has.
    fn names(&mut self, of: Label) -> Result<Vec<String>, Broken>;

    /// Returns the mark that the index's writer left about what it has seen.
    fn mark(&mut self) -> Result<Option<String>, Broken>;

    /// Changes the mark; does nothing if the mark isn't `before` any more.
    fn set_mark(&mut self, before: Option<&str>, now: &str) -> Result<(), Broken>;
}

/// A selection of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub fleet: Option<String>,
    pub task: Option<String>,
    /// The endings to select; all if empty.
    pub endings: Vec<Ending>,
    /// Selects runs that began at this time or later, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Selects runs that began before this time.
    pub until: Option<i64>,
}

/// A property by which runs are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Fleet,
    Task,
}

impl Label {
    pub(super) fn word(self) -> &'static str {
        match self {
            Label::Fleet => "fleet",
            Label::Task => "task",
        }
    }

    /// Returns a name in the form that is compared: `.`, `-` and `_` are the same in a task's name.
    pub(super) fn same(self, name: &str) -> String {
        match self {
            Label::Fleet => name.to_owned(),
            Label::Task => name.replace(['.', '-'], "_"),
        }
    }
}

/// Why an index doesn't answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("a newer rfab wrote it (its schema is {found}, and this rfab knows {known})")]
    Newer { found: usize, known: usize },
    /// The file isn't an index, or is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("{0}")]
    Other(String),
}
