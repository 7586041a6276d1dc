//! A line of a script as tokens, around the position of an error.

/// The word at a position, and the tokens around it in the same line.
#[derive(Debug, PartialEq)]
pub(super) struct Context {
    /// Outermost first; the start of the line is `^`.
    before: Vec<String>,
    /// Empty at the end of the text.
    pub word: String,
    after: Vec<String>,
}

/// Operators of more than one character, longest first.
const SIGNS: [&str; 25] = [
    "===", "!==", "**=", "..=", "=>", "->", "==", "!=", "<=", ">=", "++", "--", "**", "::", "&&", "||", "#{", "#!",
    "//", "..", "?.", "??", "+=", "-=", "<<",
];

impl Context {
    /// Reads around a line and a column, both from 1; `said` is the word if Rhai names it.
    pub(super) fn of(text: &str, line: usize, column: usize, said: Option<&str>) -> Option<Context> {
        let line: Vec<char> = text.lines().nth(line.checked_sub(1)?).unwrap_or_default().chars().collect();
        let (front, back) = line.split_at(line.len().min(column.checked_sub(1)?));
        let mut before = vec!["^".to_owned()];
        before.extend(tokens(front));
        let mut after = tokens(back);
        let mut word = if after.is_empty() { String::new() } else { after.remove(0) };
        if let Some(said) = said.filter(|said| **said != word) {
            // Rhai's position of some operators is one after their start.
            word = said.to_owned();
        }
        Some(Context { before, word, after })
    }

    /// Returns whether the tokens before the word end with these; `_` is any name or number.
    pub(super) fn comes_after(&self, pattern: &str) -> bool {
        let pattern: Vec<&str> = pattern.split(' ').collect();
        let from = self.before.len().checked_sub(pattern.len());
        from.is_some_and(|from| same(&self.before[from..], &pattern))
    }

    /// Returns whether the tokens after the word start with these.
    pub(super) fn goes_before(&self, pattern: &str) -> bool {
        let pattern: Vec<&str> = pattern.split(' ').collect();
        self.after.get(..pattern.len()).is_some_and(|tokens| same(tokens, &pattern))
    }
}

fn same(tokens: &[String], pattern: &[&str]) -> bool {
    let fits = |(token, wanted): (&String, &&str)| token == wanted || (*wanted == "_" && token.starts_with(part));
    tokens.iter().zip(pattern).all(fits)
}

fn part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Splits a line into names, numbers and operators; a text becomes only its first quote. A comment ends the line.
fn tokens(line: &[char]) -> Vec<String> {
    let (mut tokens, mut rest) = (Vec::new(), line);
    while let Some(first) = rest.first() {
        let length = match first {
            c if part(*c) => rest.iter().take_while(|c| part(**c)).count(),
            quote @ ('"' | '`' | '\'') => {
                let closed = rest[1..].iter().position(|c| c == quote);
                tokens.push(quote.to_string());
                rest = &rest[closed.map_or(rest.len(), |at| at + 2)..];
                continue;
            }
            _ => {
                let is = |sign: &&&str| rest.len() >= sign.len() && sign.chars().zip(rest).all(|(a, b)| a == *b);
                SIGNS.iter().find(is).map_or(1, |sign| sign.len())
            }
        };
        let token: String = rest[..length].iter().collect();
        if token == "//" {
            break;
        }
        if !first.is_whitespace() {
            tokens.push(token);
        }
        rest = &rest[length..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_around_a_place() {
        let place = Context::of("\n    f(\"a \\ b\", x_1=>2); // y", 2, 16, None).unwrap();
        let owned = |tokens: &[&str]| tokens.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            place,
            Context {
                before: owned(&["^", "f", "(", "\"", ","]),
                word: "x_1".into(),
                after: owned(&["=>", "2", ")", ";"])
            }
        );
        assert!(place.comes_after("_ ( \" ,") && place.comes_after(",") && !place.comes_after("( ,"));
        assert!(place.goes_before("=> _ )") && !place.goes_before("="));
    }

    #[test]
    fn a_place_that_is_not_there_has_nothing_around_it() {
        for (line, column) in [(1, 3), (7, 1), (1, 900)] {
            assert_eq!(Context::of("é", line, column, None).unwrap().word, "");
        }
        assert_eq!(Context::of("x", 0, 1, None), None);
    }
}
