//! Branches of git-flow: `std/gitflow` makes the same branches, merges and tags as git-flow AVH from the same start.
mod finished;
mod hands;
mod history;
mod hooks;
mod large;
mod left_over;
mod next;
mod picks;
mod pulls;
mod pulls_met;
mod pulls_stopped;
mod refused;
mod sample;
mod signed;
mod signer;
mod stopped;
mod trunk;
