//! One command on a connection: begun, fed, heard, and stopped when it is no longer waited for.
mod bytes;
mod channel;
mod failure;
mod halves;
mod heard;
mod input;
mod line;
mod over;
mod printed;
mod running;
mod spare;
mod status;
mod stderr;
mod stdout;

pub(super) use failure::finished;
pub use halves::Halves;
pub use heard::{flush, hear};
pub use input::PROGRESS;
pub(super) use line::HostLine;
pub(super) use running::{Running, stop};
pub(super) use spare::Spares;
pub(super) use status::{NOT_BEGUN, UNWRITTEN};
