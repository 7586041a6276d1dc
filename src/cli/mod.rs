//! Flags and words, turned into plain values, and what each asks for.
mod allowed;
mod attempt;
mod carry_out;
pub mod completing;
mod demo;
mod facts;
pub mod flags;
mod folders;
mod habits;
pub mod history;
mod history_flags;
mod instead;
pub mod listing;
mod meant;
mod memory;
mod output;
mod overview;
pub mod request;
mod scope;
mod shown;
mod signals;
mod trust;
mod when;
mod wiring;
mod work;

pub use crate::line;
pub use carry_out::main;
