//! What effects use to reach the real world: traits that the domains implement and `run` wires together.
mod coordinator;
mod driver;
mod kept;
mod person;
mod reading;
mod real;
mod transport;

pub use coordinator::{Coordinator, Holder, Says, Waits};
pub use driver::{Admin, BalancerState, Checked, Driver, Finding, Server, ServerPlace, Socket, only_read};
pub use kept::Kept;
pub use person::Person;
pub use reading::SharedReading;
pub use real::{FleetConnections, Real};
pub use transport::{Ended, Exclusive, Hears, Input, Job, LedgerLines, Remote, Takes, Trace, Traced, Transport};
