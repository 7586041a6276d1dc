//! A row of the table: what was written, and what Rhai reports about it.
use rhai::ParseErrorType;

/// Alternative words or tokens.
pub(super) type Words = &'static [&'static str];

/// A habit and its Rhai spelling.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// A file that contains the mistake.
    pub example: &'static str,
    pub said: RhaiMessage,
    /// The word at the error, one of these; empty means any.
    pub word: Words,
    /// What the line has before the word, one of these; empty means anything.
    pub before: Words,
    /// What the line has after the word, one of these; empty means anything.
    pub after: Words,
    /// The help; `{word}` stands for the word at the error.
    pub hint: &'static str,
}

/// What Rhai reports.
#[derive(Clone, Copy, Debug)]
pub enum RhaiMessage {
    /// There is no such variable.
    Variable,
    /// There is no such variable, and no similar word.
    New,
    /// The word or the operator is reserved by Rhai.
    Reserved,
    /// A token is missing; the second text is part of what Rhai says about its purpose.
    Missing(&'static str, &'static str),
    /// The script assigns to a constant.
    Constant,
    /// Anything else, if the word is enough to recognize the habit.
    Else,
}

impl RhaiMessage {
    /// Returns whether an error reports this; `near` is whether there is a similar word.
    pub fn is(self, error: &ParseErrorType, near: bool) -> bool {
        match (self, error) {
            (RhaiMessage::Variable, ParseErrorType::VariableUndefined(_) | ParseErrorType::ModuleUndefined(_)) => true,
            (RhaiMessage::Reserved, ParseErrorType::Reserved(_)) => true,
            (RhaiMessage::New, ParseErrorType::VariableUndefined(_)) => !near,
            (RhaiMessage::Constant, ParseErrorType::AssignmentToConstant(_)) => true,
            (RhaiMessage::Missing(token, what), ParseErrorType::MissingToken(missing, why)) => {
                token == missing && why.contains(what)
            }
            (
                RhaiMessage::Else,
                ParseErrorType::VariableUndefined(_) | ParseErrorType::Reserved(_) | ParseErrorType::MissingToken(..),
            ) => false,
            (RhaiMessage::Else, _) => true,
            _ => false,
        }
    }
}

/// Makes a row.
pub(super) const fn row(
    example: &'static str,
    said: RhaiMessage,
    word: Words,
    before: Words,
    after: Words,
    hint: &'static str,
) -> Habit {
    Habit { example, said, word, before, after, hint }
}
