//! The assignments in a Ruby file: of constants, as in `version.rb`, and of attributes, as in a gemspec.
use super::{
    VersionError,
    part::{FilePart, PartKind},
};
use regex::Regex;
use std::sync::LazyLock;

/// `NAME = …`, `spec.name = …` or `Shop::NAME = …`, and what is behind the `=`.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[ \t]*(?:[A-Za-z_]\w*(?:\.|::))*([A-Za-z_]\w*)[ \t]*(?:\|\|)?=[ \t]*([^=~>\s].*)$")
        .expect("a pattern")
});

/// The beginning of a text that ends with its name on a line of its own.
static HEREDOC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<<([~-]?)(?:"([^"]+)"|'([^']+)'|([A-Z_]\w*))"#).expect("a pattern"));

/// A plain string, and what may be behind it without making it an expression.
static STRING: LazyLock<Regex> = LazyLock::new(|| {
    let behind = r"(?:\.freeze)?[ \t]*(?:unless[ \t]+defined\?[ (]?[\w:]+\)?)?[ \t]*;?[ \t]*(?:#.*)?$";
    Regex::new(&format!(r#"^(?:"([^"\\#]*)"|'([^'\\]*)'){behind}"#)).expect("a pattern")
});

/// Reads a table from the last name of what is assigned to its value. What isn't a plain string is an expression.
pub(super) fn parse(text: &str) -> Result<FilePart, VersionError> {
    let (mut found, mut at, mut comment) = (Vec::new(), 0, false);
    // The texts that begin on a line stand on the next ones.
    let mut heredocs: Vec<(bool, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if let Some((indented, name)) = heredocs.first() {
            if (if *indented { line.trim_ascii_start() } else { line }) == name {
                heredocs.remove(0);
            }
            continue;
        }
        if line == "__END__" {
            break;
        }
        comment = (comment || line.starts_with("=begin")) && !line.starts_with("=end");
        if comment || line.trim_ascii_start().starts_with('#') || line.starts_with("=end") {
            continue;
        }
        heredocs.extend(HEREDOC.captures_iter(line).map(|parts| {
            let name = [2, 3, 4].into_iter().find_map(|group| parts.get(group)).map_or("", |name| name.as_str());
            (!parts[1].is_empty(), name.to_owned())
        }));
        if let Some(parts) = ASSIGNMENT.captures(line) {
            let value = parts.get(2).map_or(0..0, |value| value.range());
            found.push((parts[1].to_owned(), FilePart::new(value_of(&line[value.clone()]), begins + value.start)));
        }
    }
    Ok(FilePart::new(PartKind::Table(found), 0))
}

fn value_of(source: &str) -> PartKind {
    match STRING.captures(source).and_then(|parts| parts.get(1).or(parts.get(2))) {
        Some(text) => PartKind::Text(text.as_str().to_owned()),
        None => PartKind::Other { kind: EXPRESSION, source: source.to_owned() },
    }
}

/// The kind of a value that only Ruby can determine.
pub(super) const EXPRESSION: &str = "an expression of Ruby";
