//! Commands and files on hosts.
mod arriving;
mod config;
mod connect;
mod exec;
mod file;
mod files;
pub(crate) mod heard;
mod known;
mod link;
mod master;
mod on;
mod openssh;
mod route;
mod sudo;
mod traced;
mod trust;
mod unpack;
mod wrapper;

pub use connect::{Connect, Connected};
pub use exec::{Capture, Exec, Output};
pub use file::Lies;
pub use files::{Exists, Get, Look, Put, ReadFile, WriteFile};
pub use on::{On, trace};
pub use openssh::Openssh;
pub use traced::ReadTrace;
pub use trust::{Offer, Strangers};
