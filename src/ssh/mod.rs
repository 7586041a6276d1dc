//! OpenSSH, the transport: connections to hosts, and one command on them.
mod channel;
mod config;
mod exclusive;
mod folder;
pub(crate) mod heard;
mod included;
mod input;
mod jumps;
mod known;
mod link;
mod master;
mod openssh;
mod proxy;
mod route;
mod sudo;
mod trust;
pub(crate) mod wrapper;

pub use input::PROGRESS;
pub use openssh::Openssh;
pub use trust::{Offer, Other, Standing, Strangers};
