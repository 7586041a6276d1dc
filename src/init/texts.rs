//! Reads other tools' files, and finds texts within their lines.
use crate::control::brief;
use std::{fs, path::Path};

/// The largest file that rfab reads, in bytes.
const LARGEST: u64 = 1 << 20;

/// Returns the text of a regular file. It skips a pipe, which could block.
pub(super) fn read(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok().filter(|about| about.is_file() && about.len() <= LARGEST);
    about.and_then(|_| fs::read_to_string(path).ok())
}

/// Returns whether a text is valid as the name of a file, a user or a unit.
pub(super) fn plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 64
        && !text.starts_with(['-', '.'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Returns whether a text is a path that a fleet file accepts and that a host doesn't have to expand.
pub(super) fn is_path(text: &str) -> bool {
    let parts = text.strip_prefix('/').unwrap_or(text).split('/');
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@+".contains(&b));
    text.len() < 200 && parts.into_iter().all(|part| !matches!(part, "" | "." | "..") && plain(part))
}

/// Returns a text in backquotes, cut to 80 characters, with control characters escaped.
pub(super) fn named(text: &str) -> String {
    format!("`{}`", brief(text.trim(), 80))
}

/// Returns the quoted texts of a line and the words of Ruby's `%w{…}`, in order.
pub(super) fn quoted(line: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['\'', '"', '%']) {
        let begin = &rest[at..];
        let Some((text, after)) = (match begin.chars().next() {
            Some('%') => percent(begin),
            Some(quote) => begin[1..].split_once(quote),
            None => None,
        }) else {
            rest = &begin[1..];
            continue;
        };
        if begin.starts_with('%') {
            texts.extend(text.split_whitespace().map(str::to_owned))
        } else {
            texts.push(text.to_owned())
        }
        rest = after;
    }
    texts
}

fn percent(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("%w").or(text.strip_prefix("%W")).or(text.strip_prefix("%i"))?;
    let close = match inner.chars().next()? {
        '{' => '}',
        '[' => ']',
        '(' => ')',
        '<' => '>',
        other if other.is_ascii_punctuation() => other,
        _ => return None,
    };
    inner[1..].split_once(close)
}

/// Returns a line of Ruby without its comment; `#{` doesn't start one.
pub(super) fn uncommented(line: &str) -> &str {
    let mut within = None;
    for (at, c) in line.char_indices() {
        match (within, c) {
            (None, '\'' | '"') => within = Some(c),
            (Some(quote), _) if quote == c => within = None,
            (None, '#') if !line[at..].starts_with("#{") => return &line[..at],
            _ => {}
        }
    }
    line
}

/// Fills in each `#{fetch(:name)}` and `#{name}`; `None` if that would mean running code.
pub(super) fn resolved(text: &str, known: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("#{") {
        let (inner, after) = from.split_once('}')?;
        let name = inner.trim().trim_start_matches("fetch").trim_matches(['(', ')', ':', ' ']);
        whole += before;
        whole += &known(name)?;
        rest = after;
    }
    Some(whole + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_line_are_found_in_order() {
        assert_eq!(quoted(r#"'a', "b c", %w{d e} , %w[f] "open"#), ["a", "b c", "d", "e", "f"]);
        assert_eq!(quoted("100 % 3 and %"), [] as [&str; 0]);
    }

    #[test]
    fn what_would_have_to_be_run_is_not_resolved() {
        let known = |name: &str| (name == "application").then(|| "shop".to_owned());
        assert_eq!(resolved("/srv/#{fetch(:application)}/x", known).as_deref(), Some("/srv/shop/x"));
        assert_eq!(resolved("/srv/#{application}", known).as_deref(), Some("/srv/shop"));
        assert_eq!(resolved("/srv/#{`whoami`}", known), None);
        assert_eq!(resolved("/srv/#{", known), None);
    }
}
