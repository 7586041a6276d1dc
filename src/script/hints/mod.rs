//! What habits of Python, Ruby and JavaScript are in Rhai: a table, read where a file does not compile.
mod place;
mod rows;

use place::Place;
use rhai::{ParseError, ParseErrorType};

/// A habit and its Rhai spelling.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// A file in which it is the mistake.
    pub example: &'static str,
    said: Said,
    /// What stands at the place, one of these; none is whatever.
    word: &'static [&'static str],
    /// What the line has before the place, one of these; none is whatever.
    before: &'static [&'static str],
    /// What the line has behind the word, one of these; none is whatever.
    after: &'static [&'static str],
    /// The help; `{word}` is what stands at the place.
    pub hint: &'static str,
}

/// What Rhai says is wrong.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// There is no such variable.
    Variable,
    /// There is no such variable, nor any word like it.
    New,
    /// The word, or the sign, is kept by Rhai for itself.
    Reserved,
    /// A token is missing, and this is said of what for.
    Missing(&'static str, &'static str),
    /// A constant is assigned to.
    Constant,
    /// Anything else, where the word is enough to know the habit.
    Else,
}

impl Said {
    fn is(self, error: &ParseErrorType, near: bool) -> bool {
        match (self, error) {
            (Said::Variable, ParseErrorType::VariableUndefined(_) | ParseErrorType::ModuleUndefined(_)) => true,
            (Said::Reserved, ParseErrorType::Reserved(_)) => true,
            (Said::New, ParseErrorType::VariableUndefined(_)) => !near,
            (Said::Constant, ParseErrorType::AssignmentToConstant(_)) => true,
            (Said::Missing(token, what), ParseErrorType::MissingToken(missing, why)) => {
                token == missing && why.contains(what)
            }
            (
                Said::Else,
                ParseErrorType::VariableUndefined(_) | ParseErrorType::Reserved(_) | ParseErrorType::MissingToken(..),
            ) => false,
            (Said::Else, _) => true,
            _ => false,
        }
    }
}

/// The whole table; of several rows that fit the first counts.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    rows::ALL.iter().copied().flatten()
}

/// What the habit at the place of a parse error is in Rhai, if it is one of the table; `near` is whether another word of
/// the text may have been meant.
pub fn hint(error: &ParseError, text: &str, near: bool) -> Option<String> {
    let said = match error.err_type() {
        ParseErrorType::Reserved(word) | ParseErrorType::UnknownOperator(word) => Some(word.as_str()),
        ParseErrorType::VariableUndefined(name) | ParseErrorType::ModuleUndefined(name) => Some(name.as_str()),
        _ => None,
    };
    let (line, column) = (error.position().line()?, error.position().position().unwrap_or(1));
    let place = Place::of(text, line, column, said)?;
    let fits = |row: &&Row| {
        row.said.is(error.err_type(), near)
            && (row.word.is_empty() || row.word.contains(&&*place.word))
            && (row.before.is_empty() || row.before.iter().any(|pattern| place.comes_after(pattern)))
            && (row.after.is_empty() || row.after.iter().any(|pattern| place.goes_before(pattern)))
    };
    rows().find(fits).map(|row| row.hint.replace("{word}", &place.word))
}

/// What the functions of other languages, and of their standard libraries, are here, by name.
pub fn function(name: &str) -> Option<&'static str> {
    rows::FUNCTIONS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// All of [`function`]'s, for the documentation.
pub fn functions() -> &'static [(&'static [&'static str], &'static str)] {
    rows::FUNCTIONS
}

/// What a limit or a hook is called here, by the name that it has elsewhere.
pub fn key(name: &str) -> Option<&'static str> {
    rows::KEYS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}
