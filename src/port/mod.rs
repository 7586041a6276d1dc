//! What effects use to reach the real world: traits that the domains implement and `run` wires together.
mod coordinator;
mod driver;
mod kept;
mod person;
mod reading;
mod real;
mod spent;
mod transport;

pub use coordinator::{Coordinator, Holder, Says, Waits};
pub use driver::{Admin, BalancerState, Checked, Driver, Finding, Server, ServerPlace, Socket, ToldServers, only_read};
pub use kept::Kept;
pub use person::Person;
pub use reading::{LATELY, SharedReading, SharedReadings};
pub use real::{FleetConnections, Real};
pub use spent::{Spending, SpendingTime, Spent, SpentMeter};
pub use transport::{
    Ended, Exclusive, Growing, Hears, Input, Job, LedgerLines, Remote, Takes, Trace, Traced, Transport,
};
