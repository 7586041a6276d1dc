//! What may be typed next, for shells: asked at each press of a key, so nothing is connected to, and nothing is told
//! but answers.
mod flag;
mod known;
mod shell;
mod sources;
mod typed;

pub use flag::{Answer, Flag, all, asked, parser};
pub use known::Known;
pub use shell::{Shell, shown};
pub use sources::stems;
use typed::{Place, Typed};

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

/// What the last of these words may become; all of them begin as it does.
pub fn choices(words: &[String], known: &mut Known) -> Vec<Choice> {
    let typed = Typed::of(words, &known.flags);
    known.file = typed.fabfile.clone();
    let found = match &typed.place {
        Place::Value { flag, begun } => within(begun, known.value(flag, &typed.last[begun.len()..], &typed.words)),
        Place::Flag => known.flags.iter().map(|flag| Choice::new(&flag.long, &flag.about)).collect(),
        Place::Word if typed.alone => Vec::new(),
        Place::Word => known.word(&typed),
        Place::Command => Vec::new(),
    };
    let mut choices: Vec<Choice> = Vec::new();
    for choice in found {
        let fits = choice.text.starts_with(typed.last) && choice.text.chars().all(is_plain);
        if fits && !choices.iter().any(|other| other.text == choice.text) {
            choices.push(choice);
        }
    }
    choices
}

/// Choices behind what was typed of their word.
fn within(begun: &str, choices: Vec<Choice>) -> Vec<Choice> {
    choices.into_iter().map(|choice| Choice { text: format!("{begun}{}", choice.text), ..choice }).collect()
}

/// What stands in a shell's line as it is: nobody's branch may put a command there.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:,=+^@%".contains(c)
}
