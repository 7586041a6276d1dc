//! Looks up the table by an error, a function or a key.
use super::{
    context::Context,
    row::Habit,
    rows::{ALL, FUNCTIONS, KEYS},
};
use rhai::{ParseError, ParseErrorType};

/// Returns the rows of the whole table; if several fit, the first one counts.
pub fn rows() -> impl Iterator<Item = &'static Habit> {
    ALL.iter().copied().flatten()
}

/// Returns the Rhai spelling of the habit at a parse error, if the table has it; `near` is whether another word of the
/// text may have been meant.
pub fn hint(error: &ParseError, text: &str, near: bool) -> Option<String> {
    let said = match error.err_type() {
        ParseErrorType::Reserved(word) | ParseErrorType::UnknownOperator(word) => Some(word.as_str()),
        ParseErrorType::VariableUndefined(name) | ParseErrorType::ModuleUndefined(name) => Some(name.as_str()),
        _ => None,
    };
    let (line, column) = (error.position().line()?, error.position().position().unwrap_or(1));
    let place = Context::of(text, line, column, said)?;
    let fits = |row: &&Habit| {
        row.said.is(error.err_type(), near)
            && (row.word.is_empty() || row.word.contains(&&*place.word))
            && (row.before.is_empty() || row.before.iter().any(|pattern| place.comes_after(pattern)))
            && (row.after.is_empty() || row.after.iter().any(|pattern| place.goes_before(pattern)))
    };
    rows().find(fits).map(|row| row.hint.replace("{word}", &place.word))
}

/// Returns what to write here instead of a function of another language or its standard library.
pub fn function(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// Returns all that [`function`] finds, for the documentation.
pub fn functions() -> &'static [(&'static [&'static str], &'static str)] {
    FUNCTIONS
}

/// Returns the name that a limit or a hook has here, by its name elsewhere.
pub fn key(name: &str) -> Option<&'static str> {
    KEYS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}
