//! Flags and words, turned into plain values, and what each asks for.
mod attempt;
mod carry_out;
pub mod flags;
mod habits;
pub mod history;
pub mod listing;
pub mod request;
mod shown;
mod signals;
mod trust;
mod when;
mod wiring;

pub use crate::line;
pub use carry_out::main;
