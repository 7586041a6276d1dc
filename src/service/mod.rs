//! The units of an app on its hosts.
mod change;
mod follow;
mod package;
mod read;
mod units;

pub use change::{ChangeService, ServiceChange};
pub use follow::FollowLogs;
pub use package::{Install, ReadInstalled};
pub use read::{ReadService, ServiceRead};
pub use units::units;
