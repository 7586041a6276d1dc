//! Readers of events: the only code that writes to the terminal.
//!
//! What a run says goes to stdout, in one stream, so that a log has it in order; why a run did not begin at all goes to
//! stderr. With `--json` stdout has events alone.
mod excerpt;
mod failure;
mod filter;
mod json;
mod lines;
mod palette;
mod person;
mod table;
mod words;

pub use failure::failure;
pub use json::Json;
pub use lines::{Lines, Loud};
pub use palette::Palette;
pub use person::Terminal;

use crate::event::Listener;
use std::{
    io::{self, Write},
    sync::Arc,
};

/// How events are shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub json: bool,
    pub loud: Loud,
    pub color: bool,
}

/// Chooses the reader of a run's events.
pub fn listener(style: Style) -> Arc<dyn Listener> {
    match style.json {
        true => Arc::new(Json::new(io::stdout())),
        false => Arc::new(Lines::new(io::stdout(), style.loud, Palette { color: style.color })),
    }
}

/// Writes a text that was asked for, such as a list; a reader that went away is no failure.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ =
        out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    let _ = out.flush();
}

/// Writes why nothing was begun.
pub fn complain(text: &str) {
    let mut err = io::stderr().lock();
    let _ =
        err.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { err.write_all(b"\n") });
}
