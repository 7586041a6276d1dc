//! Balancers: takes servers out of their pools and puts them back, under a fleet's lock.
pub mod haproxy;
pub mod lock_session;

mod acquire_lock;
mod admin;
mod balance;
mod books;
mod by_hand;
mod by_tool;
mod check;
mod cut_off;
mod diagnosis;
mod holder;
mod keeper_lines;
mod lock;
mod meant_server;
mod place;
pub mod socket;
mod ssh_coordinator;
mod wait;
mod weight;

pub use crate::port::{BalancerState, ServerPlace};
pub use acquire_lock::AcquireLock;
pub use admin::SetAdmin;
pub use balance::{Balance, ReadBalance};
pub use check::CheckBalancers;
pub use cut_off::{CutOff, Reopen};
pub use holder::ReadHolder;
pub use lock::{Holds, Lock};
pub use meant_server::unhealthy;
pub use place::places;
pub use ssh_coordinator::SshCoordinator;
pub use wait::{Emptied, WaitDrained, WaitUp};
pub use weight::SetWeight;
