//! Flags and words, turned into plain values, and what each asks for.
mod carry_out;
pub mod flags;
mod history;
pub mod listing;
pub mod request;
mod signals;
mod trust;
mod wiring;

pub use crate::line;
pub use carry_out::main;
