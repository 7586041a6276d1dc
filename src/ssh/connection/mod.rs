//! Connections to hosts: ssh's configuration, the way there, the logins, and the shared processes.
mod alive;
pub(super) mod config;
mod connections;
mod depends;
mod folder;
mod hop;
mod included;
mod jumps;
mod kept;
mod link;
pub(super) mod master;
mod options;
mod program;
mod proxy;
mod refusal;
mod route;

pub(super) use alive::{ALIVE_WITHIN, answers};
pub(super) use connections::{Connections, SILENT};
pub(super) use folder::SshFolder;
pub(super) use hop::Hop;
pub(super) use jumps::Jumps;
pub use kept::{KeptConnection, disconnect, kept};
pub(super) use link::{Link, until_frozen};
pub(super) use program::ended;
pub(super) use refusal::{refused, unreachable};
pub(super) use route::route;
