//! Versions in the files of a project, which rfab reads and changes without touching anything else in them.
mod candidate;
mod change;
mod changed;
mod edit;
mod error;
mod ini;
mod json;
mod key;
mod lock;
mod named;
mod only_version;
mod parsed;
mod part;
mod plain;
mod read;
mod ruby;
mod semantic;
mod snapshot;
#[cfg(test)]
mod tests;
mod toml;
mod work_folder;
mod write;
mod yaml;

pub use error::VersionError;
pub use named::{NamedVersionFile, ReadVersionFiles, VersionFiles};
pub use only_version::ReadOnlyVersion;
pub use read::ReadVersion;
pub use semantic::{compare, next};
pub use write::WriteVersion;
