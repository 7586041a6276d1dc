//! Workflow commands of GitHub Actions, and texts that must not be read as commands.
use crate::{
    failure::{Excerpt, Failure},
    report::filter::visible,
};
use std::{env, path::Path};

pub(super) fn group(title: &str) -> String {
    format!("::group::{}\n", data(title))
}

pub(super) fn end_of_group() -> String {
    "::endgroup::\n".to_owned()
}

pub(super) fn warning(title: &str, text: &str) -> String {
    format!("::warning title={}::{}\n", property(&visible(title, false)), data(&plain(text)))
}

/// Makes an annotation of a failure, at its first place that is in a file of the repository.
pub(super) fn error(title: &str, failure: &Failure, folder: &Path) -> String {
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

/// Returns a file's path, relative to the top of its repository.
fn within(file: &str, folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(file).canonicalize().ok().filter(|file| file.is_file())?;
    let workspace = env::var_os("GITHUB_WORKSPACE").and_then(|top| Path::new(&top).canonicalize().ok());
    let top = folder.ancestors().find(|top| top.join(".git").exists()).map(Path::to_owned).or(workspace)?;
    Some(file.strip_prefix(top).ok()?.to_str()?.to_owned())
}

/// Returns the lines without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.lines().map(|line| visible(line, false)).collect::<Vec<_>>().join("\n")
}

/// Escapes the text after a command's last `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Changes lines so that none is a workflow command.
///
/// A runner takes `::` at the start of a line for one, and `##[` anywhere in it; it may skip spaces and invisible
/// characters.
pub(crate) fn harmless(text: &str) -> String {
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

/// Changes a line of JSON so that it isn't a workflow command, but means the same.
pub(crate) fn harmless_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut sharps = 0;
    for c in json.chars() {
        match c {
            // In JSON, this occurs only inside a string.
            '[' if sharps > 1 => shown.push_str("\\u005b"),
            c => shown.push(c),
        }
        sharps = following(sharps, c);
    }
    shown
}

/// Returns how many `#` in a row end with `c`; invisible characters between them don't count.
fn following(sharps: usize, c: char) -> usize {
    match c {
        '#' => sharps + 1,
        c if c.is_ascii_graphic() => 0,
        _ => sharps,
    }
}

/// Writes the line with a blank inside everything that a command starts with.
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
