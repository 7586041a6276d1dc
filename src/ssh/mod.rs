//! OpenSSH, the transport: connections to hosts, and one command on them.
mod call;
mod config;
mod connections;
mod exclusive;
mod folder;
mod forwards;
mod held;
mod hop;
mod included;
mod jumps;
mod known;
mod link;
mod master;
mod openssh;
mod program;
mod proxy;
mod refusal;
mod route;
mod sudo;
mod terminal;
mod trace;
mod trust;
pub(crate) mod wrapper;

pub use call::{Halves, PROGRESS, flush, hear};
pub use openssh::Openssh;
pub use trust::{Offer, Other, Standing, Strangers};
