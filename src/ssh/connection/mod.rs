//! Connections to hosts: ssh's configuration, the way there, the logins, and the shared processes.
pub mod config;
mod connections;
mod folder;
mod hop;
mod included;
mod jumps;
mod link;
pub mod master;
mod options;
mod program;
mod proxy;
mod refusal;
mod route;

pub use connections::{Connections, SILENT};
pub use folder::SshFolder;
pub use hop::Hop;
pub use jumps::Jumps;
pub use link::{Link, until_frozen};
pub use program::ended;
pub use refusal::{refused, unreachable};
pub use route::route;
