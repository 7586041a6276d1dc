//! What a host should serve.
use crate::model::Commit;
use serde::{Deserialize, Serialize, Serializer};

/// A release, in the forms that a service may name it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// A commit, or a package's version; none where nobody knows.
    pub id: Option<Commit>,
    /// What else it is called: tags, the version and the digest of an archive, another tool's folder.
    pub names: Vec<String>,
    /// Whether only a service that names it is right; else one that is healthy is, too.
    pub sure: bool,
}

impl Expected {
    /// Makes what must be named: a commit, or a package's version.
    pub fn of(id: Commit, names: Vec<String>) -> Expected {
        Expected { id: Some(id), names, sure: true }
    }

    /// Returns how people call it: its first name, and its commit.
    pub fn shown(&self) -> String {
        match self.names.first() {
            Some(name) if name != self.short() => format!("`{name}` ({})", self.short()),
            _ => format!("`{}`", self.short()),
        }
    }

    /// Its commit in short, or its version.
    pub fn short(&self) -> &str {
        self.id.as_ref().map_or("what it should serve", |id| &id[..id.len().min(12)])
    }

    /// Writes its commit or version alone, as effects record it.
    pub fn by_id<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(to)
    }
}
