//! Listeners for events: the only code that writes to the terminal.
//!
//! A run's output goes to stdout, as one stream, so that a log has it in order; why a run didn't begin goes to stderr.
//! With `--json`, stdout has only events.
mod ci;
mod excerpt;
mod failure;
mod filter;
mod json;
mod last_words;
mod lines;
mod listener;
mod live;
mod logged;
mod outlet;
mod palette;
mod person;
mod said;
mod table;
mod words;

pub use failure::failure;
pub use filter::visible;
pub use json::Json;
pub use lines::{Lines, Loud};
pub use listener::{Style, listener};
pub use live::play;
pub use logged::HostLogs;
pub use palette::Palette;
pub use person::{Beside, Terminal};
pub use said::{complain, refuse, say, say_json};
pub use table::table;
pub use words::count;
