//! The embedded fleet: machines with ssh servers, apps and a balancer in one process, and the day of a hotfix on it.
//!
//! rfab itself is real: each command is a run of this program, with the project's fabfile, over real ssh to servers on
//! loopback. One folder holds everything that the demo makes, and is removed at the end.
mod app;
pub mod balancer;
mod day;
mod exec;
mod fleet;
mod host;
mod hosts;
mod http;
mod load;
mod operator;
mod place;
mod processes;
mod project;
mod repository;
mod signals;
mod ssh;
mod unit;

pub use day::{DemoStyle, run};
