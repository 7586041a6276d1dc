//! What effects use to reach the real world: traits that the domains implement and `run` wires together.
mod coordinator;
mod driver;
mod kept;
mod person;
mod reading;
mod real;
mod spent;
mod transport;

pub use coordinator::{Coordinator, Holder, NoticeSink, Waits};
pub use driver::{
    Admin, BalancerState, ChangeAnswer, Checked, Driver, Finding, Server, ServerPlace, Socket, only_read,
};
pub use kept::Kept;
pub use person::Person;
pub use reading::{LATELY, SharedReading, SharedReadings};
pub use real::{FleetConnections, Real};
pub use spent::{Spending, SpendingTime, Spent, SpentMeter};
pub use transport::{
    ByteSink, Ended, Exclusive, Growing, Input, Job, LedgerLines, LineSink, Remote, Trace, Traced, Transport,
};
