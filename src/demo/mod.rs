//! The embedded fleet: machines with ssh servers, apps and a balancer in one process, and the day of a hotfix on it.
//!
//! Nothing here is a stand-in for rfab: each command is a run of this program, with the project's own fabfile, over
//! real ssh to servers on loopback. All that is made is in one folder, and gone in the end.
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
