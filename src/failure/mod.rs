//! What a call throws, and how a run ends.
mod building;
mod cause;
mod excerpt;
mod exit;
mod record;
mod words;

pub use building::HOSTS;
pub use cause::{Cause, Reason};
pub use excerpt::Excerpt;
pub use exit::Exit;
pub use record::{Failure, Origin, Unchanged};
