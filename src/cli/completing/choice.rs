//! Something that may stand where a word is being typed.

/// Something that may stand where a word is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub text: String,
    pub about: String,
}

impl Choice {
    /// One with what is said of it.
    pub fn new(text: impl Into<String>, about: impl Into<String>) -> Choice {
        Choice { text: text.into(), about: about.into() }
    }
}

/// Choices behind what was typed of their word.
pub fn within(begun: &str, choices: Vec<Choice>) -> Vec<Choice> {
    choices.into_iter().map(|choice| Choice { text: format!("{begun}{}", choice.text), ..choice }).collect()
}
