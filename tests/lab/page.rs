//! Compares a page, or another file under `docs`, with the source that it is made from.
use crate::suite;
use std::{env, fs};

/// Checks that a file under `docs` has this text. `scripts/pages` writes it.
///
/// # Panics
///
/// Panics if the file has another text.
#[track_caller]
pub fn check(name: &str, text: &str) {
    let file = suite::here().project.join("docs").join(name);
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the page's folder");
        fs::write(&file, text).expect("the page");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).position(|(one, other)| one != other);
    let line = differs.unwrap_or_else(|| found.lines().count().min(text.lines().count())) + 1;
    assert!(found == text, "docs/{name} isn't what the source says, from line {line}: run scripts/pages");
}
