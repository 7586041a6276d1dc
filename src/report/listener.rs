//! Chooses the listener for a run's events that suits the output.
use super::{
    Json, Lines, Loud, Palette,
    ci::{Ci, Pipeline},
    live::Live,
};
use crate::event::Listener;
use rustix::termios::{Winsize, tcgetwinsize};
use std::{
    env,
    io::{self, IsTerminal},
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

/// Returns the listener for a run's events: a live view only for a person at a terminal.
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

/// Returns columns and rows; the traditional size if a terminal doesn't know its own.
fn size(told: Option<Winsize>) -> (usize, usize) {
    let told = told.map(|size| (size.ws_col.into(), size.ws_row.into()));
    told.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
}

/// Returns whether the terminal rewraps its lines when it gets narrower; xterm, screen and the console don't.
fn rewraps() -> bool {
    env::var_os("XTERM_VERSION").is_none() && env::var_os("STY").is_none() && kind_of_terminal() != "linux"
}
