//! Writes outside of a run: requested texts, and why no run began.
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

/// Writes a requested text, such as a list; ignores a reader that went away.
pub fn say(text: &str) {
    put(&mut io::stdout().lock(), &logged(text));
}

/// Writes requested JSON.
pub fn say_json(text: &str) {
    put(&mut io::stdout().lock(), &harmless_json(text));
}

/// Writes why no run began.
pub fn complain(text: &str) {
    put(&mut io::stderr().lock(), &logged(text));
}

/// Writes why no run began, where a fabfile or fleet is wrong, and an annotation for a pipeline.
pub fn refuse(why: &Failure, palette: Palette, folder: &Path) {
    let text = logged(&failure(why, palette));
    put(&mut io::stderr().lock(), &format!("{}{text}", annotation(why, folder)));
}

/// Makes a text harmless for a pipeline's log, so that its runner finds no command in it.
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
