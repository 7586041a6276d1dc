//! What finds runs without reading their journals.
use super::entry::{Ending, RunEntry, RunSummary};
use crate::host::Name;

/// An index of runs: it says what journals said when they were last looked at, and can always be made again from them.
///
/// On one machine it is a file; that of a team may be a server.
pub trait Index {
    /// Takes up what is known of runs now, in place of what was known before.
    fn put(&mut self, runs: &[RunSummary]) -> Result<(), Broken>;

    fn forget(&mut self, runs: &[Name]) -> Result<(), Broken>;

    /// Those that pass, the newest first, and at most so many.
    fn list(&mut self, filter: &Filter, most: usize) -> Result<Vec<RunSummary>, Broken>;

    /// Two of those whose ids begin so, or as many as there are.
    fn find(&mut self, beginning: &str) -> Result<Vec<RunEntry>, Broken>;

    /// Every run, and how many bytes of its journal were looked at; or those alone that had not come to their end.
    fn known(&mut self, unfinished: bool) -> Result<Vec<(Name, u64)>, Broken>;

    /// The fleets, or the tasks, that there is a run of.
    fn names(&mut self, of: Label) -> Result<Vec<String>, Broken>;

    /// What whoever fills it noted down about what it has seen.
    fn mark(&mut self) -> Result<Option<String>, Broken>;

    /// Changes the note; nothing happens if it is no longer as it was before.
    fn set_mark(&mut self, before: Option<&str>, now: &str) -> Result<(), Broken>;
}

/// Which runs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub fleet: Option<String>,
    pub task: Option<String>,
    /// Any if there is none.
    pub endings: Vec<Ending>,
    /// Milliseconds since 1970: runs that began then or later.
    pub since: Option<i64>,
    /// Runs that began earlier.
    pub until: Option<i64>,
}

/// What runs are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Fleet,
    Task,
}

impl Label {
    pub fn word(self) -> &'static str {
        match self {
            Label::Fleet => "fleet",
            Label::Task => "task",
        }
    }

    /// A name as it is compared: `.`, `-` and `_` are the same in a task's name.
    pub fn same(self, name: &str) -> String {
        match self {
            Label::Fleet => name.to_owned(),
            Label::Task => name.replace(['.', '-'], "_"),
        }
    }
}

/// Why an index does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("a newer rfab wrote it (its schema is {found}, and this rfab knows {known})")]
    Newer { found: usize, known: usize },
    /// What it has is no index, or none any more.
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("{0}")]
    Other(String),
}
