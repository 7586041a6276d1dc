//! A text that a shell offers for the word that is being typed.

/// A text that a shell offers for the word that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub text: String,
    pub about: String,
}

impl Choice {
    /// Returns a choice with its description.
    pub fn new(text: impl Into<String>, about: impl Into<String>) -> Choice {
        Choice { text: text.into(), about: about.into() }
    }
}

/// Puts the part of the word that was already typed before each choice.
pub(super) fn within(begun: &str, choices: Vec<Choice>) -> Vec<Choice> {
    choices.into_iter().map(|choice| Choice { text: format!("{begun}{}", choice.text), ..choice }).collect()
}
