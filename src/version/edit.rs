//! Finds the bytes of a version in a text, and replaces only them.
use super::{
    VersionError,
    key::KeyPath,
    parsed::parsed,
    part::{FilePart, PartKind},
    ruby::EXPRESSION,
};
use crate::{
    fleet::{VersionFile, VersionFormat, usual_keys},
    misspelled::nearest,
};
use std::ops::Range;

/// A version in a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundVersion {
    /// The version without a `v` before it.
    pub value: String,
    /// Its bytes.
    pub at: Range<usize>,
    pub key: KeyPath,
    /// The whole string that it is in, up to the version: empty, or `v`.
    before: String,
}

/// Finds the version of a file in its text.
///
/// It refuses what isn't a plain string in one line, and what may count elsewhere too.
pub(super) fn find(file: &VersionFile, text: &str) -> Result<FoundVersion, VersionError> {
    let body = body(text);
    let tree = parsed(file.format, body)?;
    let found = match &file.key {
        Some(key) => in_tree(file.format, &tree, body, &keys(file.format, key)?),
        None if file.format == VersionFormat::Plain => in_tree(file.format, &tree, body, &KeyPath::of(&[])),
        None => usual(file, &tree, body),
    }?;
    let before = text.len() - body.len();
    Ok(FoundVersion { at: found.at.start + before..found.at.end + before, ..found })
}

/// Returns the text with another version in place of the one that it has. All its other bytes stay.
pub(super) fn replace(file: &VersionFile, text: &str, value: &str) -> Result<String, VersionError> {
    if !is_version(value) {
        return Err(VersionError::BadValue(value.to_owned()));
    }
    let FoundVersion { key, before, .. } = find(file, text)?;
    rewritten(file.format, text, &[(key, format!("{before}{value}"))])
}

/// Replaces whole strings, and checks that the result reads the same apart from them.
pub(super) fn rewritten(
    format: VersionFormat,
    text: &str,
    edits: &[(KeyPath, String)],
) -> Result<String, VersionError> {
    let body = body(text);
    let tree = parsed(format, body)?;
    let (mut expected, mut places) = (tree.clone(), Vec::new());
    for (key, value) in edits {
        let part = part_at(&tree, key)?;
        places.push((source_of(body, part, key)?, key, value));
        if let Some(part) = key.0.iter().try_fold(&mut expected, |part, key| part.inner_mut(key)) {
            part.what = PartKind::Text(value.clone());
        }
    }
    places.sort_by_key(|(at, ..)| std::cmp::Reverse(at.start));
    let mut result = body.to_owned();
    for (at, _, value) in &places {
        result.replace_range(at.clone(), value);
    }
    if !places.is_empty() && parsed(format, &result).is_ok_and(|after| after == expected) || result == body {
        return Ok(format!("{}{result}", &text[..text.len() - body.len()]));
    }
    let (at, key, value) = places.swap_remove(0);
    Err(VersionError::Otherwise { key: key.to_string(), value: value.clone(), at: at.start })
}

/// Returns whether a text can be written as a version into every format, without quotes or escapes.
pub(super) fn is_version(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".+-_~!".contains(&b);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(plain) && text.len() <= 200
}

/// Returns a text without its byte order mark.
pub(super) fn body(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a key as the format's own words have it: `Shop::VERSION` in Ruby, and sections with dots in INI.
fn keys(format: VersionFormat, text: &str) -> Result<KeyPath, VersionError> {
    match format {
        VersionFormat::Ruby => Ok(KeyPath::of(&[text.rsplit(['.', ':']).next().unwrap_or(text)])),
        VersionFormat::Ini => {
            let mut keys = KeyPath::read(text)?.0;
            let last = keys.pop().unwrap_or_default().to_ascii_lowercase();
            Ok(KeyPath(vec![keys.join("."), last]))
        }
        _ => KeyPath::read(text),
    }
}

/// Finds the version at the first of the usual keys that is there.
fn usual(file: &VersionFile, tree: &FilePart, body: &str) -> Result<FoundVersion, VersionError> {
    let mut first = None;
    for key in usual_keys(&file.file) {
        match in_tree(file.format, tree, body, &keys(file.format, key)?) {
            Ok(found) => return Ok(found),
            // A key that is there and has no version tells more than one that isn't there.
            Err(error) => match &first {
                None | Some(VersionError::Missing { .. }) if !matches!(error, VersionError::Missing { .. }) => {
                    first = Some(error);
                }
                None => first = Some(error),
                Some(_) => {}
            },
        }
    }
    Err(first.unwrap_or_else(|| VersionError::Missing { key: String::new(), near: Vec::new() }))
}

fn in_tree(format: VersionFormat, tree: &FilePart, body: &str, key: &KeyPath) -> Result<FoundVersion, VersionError> {
    let part = part_at(tree, key)?;
    let at = source_of(body, part, key)?;
    let whole = &body[at.clone()];
    let value = whole.strip_prefix(['v', 'V']).filter(|rest| is_version(rest)).unwrap_or(whole);
    if !is_version(value) {
        return Err(VersionError::NotVersion { key: shown(format, key), value: value.to_owned(), at });
    }
    let before = whole[..whole.len() - value.len()].to_owned();
    let at = at.start + before.len()..at.end;
    Ok(FoundVersion { value: value.to_owned(), at, key: key.clone(), before })
}

/// Returns a key as people write it.
fn shown(format: VersionFormat, key: &KeyPath) -> String {
    match format {
        VersionFormat::Plain => "the only line".to_owned(),
        _ => key.to_string(),
    }
}

/// Follows keys to a value.
fn part_at<'t>(tree: &'t FilePart, path: &KeyPath) -> Result<&'t FilePart, VersionError> {
    let mut part = tree;
    for (depth, key) in path.0.iter().enumerate() {
        let so_far = || KeyPath(path.0[..=depth].to_vec()).to_string();
        let named: Vec<&FilePart> =
            part.entries().iter().filter(|(name, _)| name == key).map(|(_, part)| part).collect();
        if let [first, again, ..] = named[..] {
            return Err(VersionError::Twice { key: so_far(), first: first.at, again: again.at });
        }
        let last = depth + 1 == path.0.len();
        part = part.inner(key).ok_or_else(|| missing(part, path, key, last))?;
        if let Some(kind) = part.elsewhere {
            return Err(VersionError::Anchored { key: so_far(), kind, at: part.at });
        }
    }
    Ok(part)
}

fn missing(part: &FilePart, path: &KeyPath, key: &str, last: bool) -> VersionError {
    let dynamic = part.inner("dynamic").filter(|dynamic| last && dynamic.items().iter().any(|d| d.text() == Some(key)));
    if let Some(dynamic) = dynamic {
        return VersionError::Dynamic { key: path.to_string(), at: dynamic.at };
    }
    let near = nearest(key, part.entries().iter().map(|(name, _)| name.as_str()));
    VersionError::Missing { key: path.to_string(), near: near.map(str::to_owned).into_iter().collect() }
}

/// Finds the bytes of a string, without its quotes.
fn source_of(body: &str, part: &FilePart, path: &KeyPath) -> Result<Range<usize>, VersionError> {
    let (key, at) = (path.to_string(), part.at);
    let text = match &part.what {
        PartKind::Text(text) => text,
        PartKind::Other { kind, .. } if *kind == EXPRESSION => return Err(VersionError::Expression { key, at }),
        PartKind::Table(_) if part.inner("workspace").is_some() => return Err(VersionError::Inherited { key, at }),
        _ => return Err(VersionError::NotText { key, kind: part.kind(), at }),
    };
    let source = body.get(at..).unwrap_or_default();
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| source.starts_with(quotes)).unwrap_or("");
    let inside = &source[quotes.len()..];
    if inside.strip_prefix(text.as_str()).is_none_or(|behind| !behind.starts_with(quotes)) {
        return Err(VersionError::Escaped { key, at });
    }
    let begins = at + quotes.len();
    Ok(begins..begins + text.len())
}
