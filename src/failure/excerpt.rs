//! Parts of files that a report shows.
use serde::{Deserialize, Serialize};

/// A part of a file that a report shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The file's name as the user knows it.
    pub file: String,
    /// The whole text of the file.
    #[serde(skip)]
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// In characters; at least 1.
    pub length: usize,
    /// The words beside it; may be empty.
    pub label: String,
}

impl Excerpt {
    /// Returns the part of a text between two byte positions, cut at the end of its first line.
    pub fn of(file: &str, text: &str, span: std::ops::Range<usize>) -> Excerpt {
        let start = span.start.min(text.len());
        let before = &text[..start];
        let shown = text.get(start..span.end.min(text.len())).unwrap_or("").split('\n').next().unwrap_or_default();
        Excerpt {
            file: file.to_owned(),
            text: text.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            length: shown.chars().count().max(1),
            label: String::new(),
        }
    }

    /// Returns the word, number or quoted text that begins at a line and column of a script, otherwise one character.
    pub fn word(file: &str, text: &str, line: usize, column: usize) -> Excerpt {
        let rest: Vec<char> = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().chars().collect();
        let rest = rest.get(column.saturating_sub(1)..).unwrap_or_default();
        let part = |c: &char| c.is_alphanumeric() || *c == '_';
        let length = match rest {
            [quote @ ('"' | '`'), inside @ ..] => {
                let closes = |pair: &[char]| pair[1] == *quote && pair[0] != '\\';
                if inside.first() == Some(quote) {
                    2
                } else {
                    inside.windows(2).position(closes).map_or(1, |at| at + 3)
                }
            }
            ['.', name @ ..] => 1 + name.iter().take_while(|c| part(c)).count(),
            [first, ..] if part(first) => rest.iter().take_while(|c| part(c)).count(),
            _ => 1,
        };
        let (file, text) = (file.to_owned(), text.to_owned());
        Excerpt { file, text, line, column, length, label: String::new() }
    }

    /// Sets the words beside it.
    pub fn labelled(self, label: impl Into<String>) -> Excerpt {
        Excerpt { label: label.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_script_is_as_long_as_what_stands_there() {
        let length = |text: &str| Excerpt::word("f", text, 1, 3).length;
        let lengths =
            ["  reference + 1", "  .selct(x)", "  \"a \\\" b\" + c", "  \"\"", "  `x${y}`;", "  20;", "  );", ""];
        assert_eq!(lengths.map(length), [9, 6, 8, 2, 7, 2, 1, 1]);
    }
}
