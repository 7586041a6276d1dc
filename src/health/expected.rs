//! The release that a host should serve.
use crate::model::Commit;
use serde::{Deserialize, Serialize, Serializer};

/// A release, with all the names that a service may report for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// A commit, or a package's version; `None` if it's unknown.
    pub id: Option<Commit>,
    /// Its other names: tags, the version and the digest of an archive, another tool's folder.
    pub names: Vec<String>,
    /// Whether the service must report it. If not, a healthy service is enough.
    pub sure: bool,
}

impl Expected {
    /// Builds a release that the service must report: a commit, or a package's version.
    pub fn of(id: Commit, names: Vec<String>) -> Expected {
        Expected { id: Some(id), names, sure: true }
    }

    /// Returns its first name and its commit, for people.
    pub fn shown(&self) -> String {
        match self.names.first() {
            Some(name) if name != self.short() => format!("`{name}` ({})", self.short()),
            _ => format!("`{}`", self.short()),
        }
    }

    /// Returns its short commit, or its version.
    pub fn short(&self) -> &str {
        self.id.as_ref().map_or("what it should serve", |id| &id[..id.len().min(12)])
    }

    /// Writes only its commit or version, as effects record it.
    pub fn by_id<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(to)
    }
}
