use super::edit::{find, replace};
use crate::fleet::{VersionFile, VersionFormat};

mod bumps;
mod generated;
mod locks;
mod refused;
mod repositories;
mod table;

/// A file with a key; an empty one stands for the usual key.
fn file(name: &str, key: &str) -> VersionFile {
    let key = Some(key).filter(|key| !key.is_empty()).map(str::to_owned);
    VersionFile { file: name.to_owned(), key, format: VersionFormat::of(name).unwrap() }
}

/// Takes the marks `⟦…⟧` around the version out of a text. Returns the texts before, of and behind the version.
fn marked(text: &str) -> (&str, &str, &str) {
    let (before, rest) = text.split_once('⟦').unwrap();
    let (value, behind) = rest.split_once('⟧').unwrap();
    (before, value, behind)
}

/// Checks that rfab finds exactly what is marked, and replaces exactly that.
#[track_caller]
fn holds(file: &VersionFile, text: &str) {
    let (before, value, behind) = marked(text);
    let whole = format!("{before}{value}{behind}");
    let found = find(file, &whole).unwrap_or_else(|e| panic!("{}: {e}\n{whole}", file.shown()));
    assert_eq!((found.at.clone(), &*found.value), (before.len()..before.len() + value.len(), value), "{whole}");
    for new in ["1.2.4", "10.20.30", "2.0.0-rc.1+b7"] {
        assert_eq!(replace(file, &whole, new), Ok(format!("{before}{new}{behind}")), "{}", file.shown());
    }
    assert_eq!(replace(file, &whole, value).as_ref(), Ok(&whole));
}
