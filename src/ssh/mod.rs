//! OpenSSH, the transport: connections to hosts, and one command on them.
mod call;
mod carrier;
mod child;
mod connection;
mod exclusive;
mod forwards;
mod held;
mod known;
mod native;
mod offer;
mod openssh;
mod sudo;
mod terminal;
mod trace;
mod trust;
pub(crate) mod wrapper;

pub use call::{Halves, PROGRESS, flush, hear};
pub use connection::{KeptConnection, disconnect, kept};
pub use offer::{KeyStanding, Offer, OtherKnownKey};
pub use openssh::Openssh;
pub use trust::RouteKeys;
