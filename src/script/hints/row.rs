//! A row of the table: what was written, and what Rhai says of it.
use rhai::ParseErrorType;

/// Words or tokens, of which one is there.
pub type Words = &'static [&'static str];

/// A habit and its Rhai spelling.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// A file in which it is the mistake.
    pub example: &'static str,
    pub said: RhaiMessage,
    /// What stands at the place, one of these; none is whatever.
    pub word: Words,
    /// What the line has before the place, one of these; none is whatever.
    pub before: Words,
    /// What the line has behind the word, one of these; none is whatever.
    pub after: Words,
    /// The help; `{word}` is what stands at the place.
    pub hint: &'static str,
}

/// What Rhai says is wrong.
#[derive(Clone, Copy, Debug)]
pub enum RhaiMessage {
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

impl RhaiMessage {
    /// Whether it is what an error says; `near` is whether there is a word like it.
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
pub const fn row(
    example: &'static str,
    said: RhaiMessage,
    word: Words,
    before: Words,
    after: Words,
    hint: &'static str,
) -> Habit {
    Habit { example, said, word, before, after, hint }
}
