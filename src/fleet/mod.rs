//! A named set of hosts and how to reach it, as plain data.
mod app;
mod apps;
mod balancers;
mod differ;
mod driver_settings;
mod folders;
mod gate;
mod health;
mod hosts;
mod location;
mod order;
mod pattern;
mod placeholder;
mod pools;
mod printed;
mod project;
mod range;
mod read;
pub mod schema;
mod section;
pub mod selection;
mod servers;
mod set;
mod settings;
mod tag_pattern;
#[cfg(test)]
pub(crate) mod tests;
mod top;
mod transport_kind;
mod tree;
mod tree_rules;
mod value;
mod version_file;
mod written;
mod wrong;

pub use balancers::address_and_port;
pub use differ::differences;
pub use driver_settings::DriverSettings;
pub use folders::Folders;
pub use hosts::{NameKind, WORDS};
pub use pattern::Pattern;
pub use project::{PROJECT_FILE, version_files};
pub use selection::Selection;
pub use set::{Malformed, Set};
pub use settings::{
    Accept, App, Balancer, Fleet, ForgeKind, Gate, Health, MinLive, Service, TokenSource, Verb, Version, by_name,
};
pub use tag_pattern::{TagPattern, VersionNumbers};
pub use transport_kind::TransportKind;
pub use tree_rules::TreeRules;
pub use value::{is_name, is_user};
pub use version_file::{FORMATS, VersionFile, VersionFormat, usual_keys, why_no_path};
pub use written::{WrittenFleet, from_map, parse, read};
pub use wrong::{Problem, Wrong};
