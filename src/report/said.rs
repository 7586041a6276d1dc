//! What is written outside of a run: what was asked for, and why nothing was begun.
use super::{
    Palette,
    ci::{Pipeline, annotation, harmless, harmless_json},
    failure,
};
use crate::failure::Failure;
use std::{
    io::{self, Write},
    path::Path,
};

/// Writes a text that was asked for, such as a list; a reader that went away is no failure.
pub fn say(text: &str) {
    put(&mut io::stdout().lock(), &logged(text));
}

/// Writes JSON that was asked for.
pub fn say_json(text: &str) {
    put(&mut io::stdout().lock(), &harmless_json(text));
}

/// Writes why nothing was begun.
pub fn complain(text: &str) {
    put(&mut io::stderr().lock(), &logged(text));
}

/// Writes why nothing was begun, where a fabfile or fleet is wrong, and in whichever way a pipeline shows it.
pub fn refuse(why: &Failure, palette: Palette, folder: &Path) {
    let text = logged(&failure(why, palette));
    put(&mut io::stderr().lock(), &format!("{}{text}", annotation(why, folder)));
}

/// A text as a log of a pipeline may have it: what others wrote is no command to its runner.
fn logged(text: &str) -> String {
    match Pipeline::here() {
        Some(Pipeline::GitHub { .. }) => harmless(text),
        _ => text.to_owned(),
    }
}

fn put(to: &mut dyn Write, text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.write_all(end.as_bytes())).and_then(|()| to.flush());
}
