//! Flags and words, turned into plain values, and what each asks for.
mod allowed;
mod attempt;
mod carry_out;
pub mod completing;
pub mod flags;
mod habits;
pub mod history;
mod listed;
pub mod listing;
mod meant;
mod memory;
mod overview;
pub mod request;
mod shown;
mod signals;
mod trust;
mod when;
mod wiring;

pub use crate::line;
pub use carry_out::main;
