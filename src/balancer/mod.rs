//! Servers in and out of their pools.
pub mod driver;
pub mod haproxy;
pub mod keeper;

mod admin;
mod balance;
mod books;
mod by_hand;
mod by_tool;
mod check;
mod claim;
mod cut_off;
mod desk;
mod diagnosis;
mod holder;
mod lock;
mod place;
pub mod socket;
mod wait;
mod weight;

pub use admin::{SetAdmin, unhealthy};
pub use balance::{Balance, BalancerState, ReadBalance};
pub use check::CheckBalancers;
pub use claim::Claim;
pub use cut_off::{CutOff, Reopen};
pub use desk::Desk;
pub use holder::ReadHolder;
pub use lock::{Holds, Lock};
pub use place::{Place, places};
pub use wait::{Emptied, WaitDrained, WaitUp};
pub use weight::SetWeight;
