//! Processes and files on the machine that rfab runs on.
mod exec;
mod file;
mod group;
mod heard;
mod hosts;
mod place;
pub mod process;
#[cfg(test)]
mod tests;

pub use exec::{Capture, Run};
pub use file::{Exists, ReadFile};
pub use group::Group;
pub use hosts::ReadHosts;
pub use place::{Local, here};
