//! The changes that rfab can make to a repository.
use super::Pushed;
use serde::Serialize;

/// A change of a repository.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Commits the named files, or the staged changes if it names none.
    Commit { message: String, files: Vec<String> },
    /// Merges a branch, tag or commit into the current branch.
    Merge { reference: String },
    /// Tags a commit. With a message, the tag is annotated.
    Tag { name: String, commit: String, message: Option<String> },
    /// Pushes branches and tags, either all or none.
    Push { what: Vec<Pushed> },
}

impl Change {
    /// Describes the change in one line.
    pub fn describe(&self) -> String {
        match self {
            Change::Commit { message, .. } => format!("commit `{}`", message.lines().next().unwrap_or_default()),
            Change::Merge { reference } => format!("merge {reference}"),
            Change::Tag { name, .. } => format!("tag {name}"),
            Change::Push { what } => {
                let names = what.iter().map(|p| match p {
                    Pushed::Branch(name) | Pushed::Tag(name) => name.as_str(),
                });
                format!("push {}", names.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
