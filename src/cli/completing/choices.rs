//! What the last word of a line may become.
use super::{
    choice::{Choice, within},
    completer::Completer,
    typed::{Typed, WordKind},
};

/// Returns what the last of these words may become; each choice begins like that word.
pub fn choices(words: &[String], known: &mut Completer) -> Vec<Choice> {
    let typed = Typed::of(words, &known.flags);
    known.file = typed.fabfile.clone();
    let found = match &typed.place {
        WordKind::Value { flag, begun } => within(begun, known.value(flag, &typed.last[begun.len()..], &typed.words)),
        WordKind::Flag => known.flags.iter().map(|flag| Choice::new(&flag.long, &flag.about)).collect(),
        WordKind::Word if typed.alone => Vec::new(),
        WordKind::Word => known.word(&typed),
        WordKind::Command => Vec::new(),
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

/// Returns whether a character is safe in a shell's line: a branch's name mustn't be able to insert a command.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:,=+^@%".contains(c)
}
