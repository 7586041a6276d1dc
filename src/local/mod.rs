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

pub use exec::{LocalCapture, LocalRun};
pub use file::{LocalExists, LocalReadFile};
pub use group::ProcessGroup;
pub use hosts::ReadHosts;
pub use place::{LocalCall, here};
