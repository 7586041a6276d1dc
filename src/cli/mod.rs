//! Flags and words, turned into plain values, and what each asks for.
mod carry_out;
pub mod flags;
pub use crate::line;
pub mod listing;
pub mod request;
mod wiring;

pub use carry_out::main;
