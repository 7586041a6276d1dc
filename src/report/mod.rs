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
mod live;
mod logged;
mod outlet;
mod palette;
mod person;
mod table;
mod words;

pub use failure::failure;
pub use filter::visible;
pub use json::Json;
pub use lines::{Lines, Loud};
pub use live::play;
pub use logged::Logged;
pub use palette::Palette;
pub use person::{Beside, Terminal};
pub use table::table;
pub use words::count;

use crate::{event::Listener, failure::Failure};
use ci::{Ci, Pipeline};
use live::Live;
use rustix::termios::{Winsize, tcgetwinsize};
use std::{
    env,
    io::{self, IsTerminal, Write},
    path::Path,
    sync::Arc,
};

/// How events are shown.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub json: bool,
    pub loud: Loud,
    pub color: bool,
}

/// Chooses the reader of a run's events: a live view only for a person before a terminal.
///
/// `folder` is the fabfile's.
pub fn listener(style: Style, folder: &Path) -> Arc<dyn Listener> {
    let Style { json, loud, color } = style;
    if json {
        return Arc::new(Json::new(io::stdout()));
    }
    let (out, palette) = (io::stdout(), Palette { color });
    if let Some(pipeline) = Pipeline::here() {
        let clock = || jiff::Timestamp::now().as_second();
        return Arc::new(Ci::new(out, pipeline, folder, loud, palette, clock));
    }
    if loud > Loud::Quiet && out.is_terminal() && kind_of_terminal() != "dumb" {
        let size = Arc::new(|| size(tcgetwinsize(io::stdout()).ok()));
        if let Ok(live) = Live::new(io::stdout(), size, rewraps(), loud, palette) {
            return Arc::new(live);
        }
    }
    Arc::new(Lines::new(out, loud, palette))
}

fn kind_of_terminal() -> String {
    env::var("TERM").ok().filter(|kind| !kind.is_empty()).unwrap_or_else(|| "dumb".to_owned())
}

/// Columns and rows; those of old where a terminal does not know its own.
fn size(told: Option<Winsize>) -> (usize, usize) {
    let told = told.map(|size| (size.ws_col.into(), size.ws_row.into()));
    told.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
}

/// Whether the terminal wraps what stands on it anew when it gets narrower; xterm, screen and the console do not.
fn rewraps() -> bool {
    env::var_os("XTERM_VERSION").is_none() && env::var_os("STY").is_none() && kind_of_terminal() != "linux"
}

/// Writes a text that was asked for, such as a list; a reader that went away is no failure.
pub fn say(text: &str) {
    put(&mut io::stdout().lock(), &logged(text));
}

/// Writes JSON that was asked for.
pub fn say_json(text: &str) {
    put(&mut io::stdout().lock(), &ci::harmless_json(text));
}

/// Writes why nothing was begun.
pub fn complain(text: &str) {
    put(&mut io::stderr().lock(), &logged(text));
}

/// Writes why nothing was begun, where a fabfile or fleet is wrong, and in whichever way a pipeline shows it.
pub fn refuse(why: &Failure, palette: Palette, folder: &Path) {
    let text = logged(&failure(why, palette));
    put(&mut io::stderr().lock(), &format!("{}{text}", ci::annotation(why, folder)));
}

/// A text as a log of a pipeline may have it: what others wrote is no command to its runner.
fn logged(text: &str) -> String {
    match Pipeline::here() {
        Some(Pipeline::GitHub { .. }) => ci::harmless(text),
        _ => text.to_owned(),
    }
}

fn put(to: &mut dyn Write, text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.write_all(end.as_bytes())).and_then(|()| to.flush());
}
