//! The parts of an INI file: sections, and the keys in them.
//!
//! There are many kinds of INI. A line that some of them would read otherwise isn't a plain text here: one that
//! continues on the next line, or has no value.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};
use crate::fleet::VersionFormat;

/// The last key, which an indented line may continue.
struct LastKey {
    section: usize,
    indent: usize,
}

/// Reads a table of sections, each with a table of keys in lower case. Keys before the first section are in the
/// section with the empty name.
pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    let mut sections: Vec<(String, Vec<(String, FilePart)>)> = vec![(String::new(), Vec::new())];
    let (mut current, mut at, mut last) = (0, 0, None::<LastKey>);
    for line in text.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let content = line.trim_ascii();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.len() - line.trim_ascii_start().len();
        if let Some(key) = last.as_ref().filter(|key| indent > key.indent) {
            if let Some((_, part)) = sections[key.section].1.last_mut() {
                continued(part, content);
            }
            continue;
        }
        if let Some(rest) = content.strip_prefix('[') {
            let (name, _) = rest.split_once(']').ok_or_else(|| VersionError::Malformed {
                format: VersionFormat::Ini,
                why: "a section has no `]`".to_owned(),
                at: begins + indent,
            })?;
            current = sections.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                sections.push((name.to_owned(), Vec::new()));
                sections.len() - 1
            });
            last = None;
            continue;
        }
        sections[current].1.push(entry(content, begins + indent));
        last = Some(LastKey { section: current, indent });
    }
    let tables = sections.into_iter().map(|(name, keys)| (name, FilePart::new(PartKind::Table(keys), 0)));
    Ok(FilePart::new(PartKind::Table(tables.collect()), 0))
}

/// Reads a key and its value; `at` is where the line's content begins.
fn entry(content: &str, at: usize) -> (String, FilePart) {
    let Some(end) = content.find(['=', ':']) else {
        let what = PartKind::Other { kind: "a key without a value", source: String::new() };
        return (content.to_ascii_lowercase(), FilePart::new(what, at));
    };
    let key = content[..end].trim_ascii_end().to_ascii_lowercase();
    let rest = content[end + 1..].trim_ascii_start();
    let at = at + content.len() - rest.len();
    let quoted = rest.chars().next().filter(|c| matches!(c, '"' | '\'')).and_then(|quote| {
        let (value, behind) = rest[1..].split_once(quote)?;
        is_over(behind).then_some(value)
    });
    (key, FilePart::new(PartKind::Text(quoted.unwrap_or_else(|| without_comment(rest)).to_owned()), at))
}

/// Returns whether nothing or a comment is behind a value.
fn is_over(behind: &str) -> bool {
    without_comment(behind).is_empty()
}

fn without_comment(text: &str) -> &str {
    let space = |at: usize| at == 0 || text[..at].ends_with([' ', '\t']);
    let comment = text.match_indices(['#', ';']).find(|(at, _)| space(*at)).map_or(text.len(), |(at, _)| at);
    text[..comment].trim_ascii_end()
}

fn continued(part: &mut FilePart, line: &str) {
    let before = match &part.what {
        PartKind::Text(text) => text,
        PartKind::Other { source, .. } => source,
        _ => return,
    };
    part.what = PartKind::Other { kind: "a text of several lines", source: format!("{before}\n{line}") };
}
