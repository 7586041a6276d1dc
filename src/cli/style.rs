//! How a request is shown.
use super::request::{Color, Detail, Request};
use crate::report::{Loud, Style};
use std::{
    env,
    io::{self, IsTerminal},
};

/// Returns whether to use colors; `terminal` says whether the output goes to a terminal.
pub(super) fn color(request: &Request, terminal: bool) -> bool {
    match request.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && env::var_os("TERM").is_some_and(|t| t != "dumb"),
    }
}

/// Returns how to show events.
pub(super) fn style(request: &Request) -> Style {
    let loud = match request.detail {
        Detail::Quiet => Loud::Quiet,
        Detail::Normal => Loud::Normal,
        Detail::Verbose => Loud::Verbose,
    };
    Style { json: request.json, loud, color: color(request, io::stdout().is_terminal()) }
}
