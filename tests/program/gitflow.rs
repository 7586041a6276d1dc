//! Branches of git-flow: `std/gitflow` makes the same branches, merges and tags as git-flow AVH from the same start.
mod finished;
mod history;
mod next;
mod pulls;
mod refused;
mod sample;
mod stopped;
mod trunk;
