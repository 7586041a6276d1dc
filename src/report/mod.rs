//! Readers of events: the only code that writes to the terminal.
//!
//! What a run says goes to stdout, in one stream, so that a log has it in order; why a run did not begin at all goes to
//! stderr. With `--json` stdout has events alone.
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
