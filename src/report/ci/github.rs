//! Workflow commands of GitHub Actions, and texts that are none.
use crate::{
    failure::{Excerpt, Failure},
    report::filter::visible,
};
use std::{env, path::Path};

pub fn group(title: &str) -> String {
    format!("::group::{}\n", data(title))
}

pub fn end_of_group() -> String {
    "::endgroup::\n".to_owned()
}

pub fn warning(title: &str, text: &str) -> String {
    format!("::warning title={}::{}\n", property(&visible(title, false)), data(&plain(text)))
}

/// The failure, at the first of its places that is a file of the repository.
pub fn error(title: &str, failure: &Failure, folder: &Path) -> String {
    let place = failure.places.iter().find_map(|place| Some((within(&place.file, folder)?, place)));
    let place = place.map(|(file, Excerpt { line, column, .. })| {
        format!("file={},line={line},col={column},", property(&visible(&file, false)))
    });
    let message = match failure.advice() {
        Some(help) => format!("{failure}\nhelp: {help}"),
        None => failure.to_string(),
    };
    let title = property(&visible(title, false));
    format!("::error {}title={title}::{}\n", place.unwrap_or_default(), data(&plain(&message)))
}

/// A file's path from the top of its repository.
fn within(file: &str, folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(file).canonicalize().ok().filter(|file| file.is_file())?;
    let workspace = env::var_os("GITHUB_WORKSPACE").and_then(|top| Path::new(&top).canonicalize().ok());
    let top = folder.ancestors().find(|top| top.join(".git").exists()).map(Path::to_owned).or(workspace)?;
    Some(file.strip_prefix(top).ok()?.to_str()?.to_owned())
}

/// Lines without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.lines().map(|line| visible(line, false)).collect::<Vec<_>>().join("\n")
}

/// What stands behind a command's last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Lines of which none is a workflow command.
///
/// A runner takes `::` at a line's beginning for one, and `##[` anywhere in it; it may look past spaces and past
/// characters that are not seen.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.contains("::") || line.contains('[') || !line.is_ascii() {
            broken(line, &mut shown);
        } else {
            shown.push_str(line);
        }
    }
    shown
}

/// A line of JSON that is no workflow command, and the same JSON.
pub fn harmless_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut sharps = 0;
    for c in json.chars() {
        match c {
            // In JSON there are such only within a string.
            '[' if sharps > 1 => shown.push_str("\\u005b"),
            c => shown.push(c),
        }
        sharps = following(sharps, c);
    }
    shown
}

/// How many `#` stand together behind `c`, past what may not be seen.
fn following(sharps: usize, c: char) -> usize {
    match c {
        '#' => sharps + 1,
        c if c.is_ascii_graphic() => 0,
        _ => sharps,
    }
}

/// The line with a blank within whatever a command begins with.
fn broken(line: &str, shown: &mut String) {
    let (mut seen, mut colons, mut sharps) = (0, 0, 0);
    for c in line.chars() {
        let graphic = c.is_ascii_graphic();
        colons += usize::from(c == ':' && seen == colons);
        if c == ':' && colons == 2 && seen == 1 || c == '[' && sharps > 1 {
            shown.push(' ');
        }
        seen += usize::from(graphic);
        sharps = following(sharps, c);
        shown.push(c);
    }
}
