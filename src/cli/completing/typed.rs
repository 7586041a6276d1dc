//! What has been typed, and what its last word is.
use super::flag::{Flag, FlagValue};
use std::path::PathBuf;

/// The words before the last one, sorted by what they are.
#[derive(Debug, PartialEq)]
pub struct Typed<'a> {
    /// Tasks and their arguments.
    pub words: Vec<&'a str>,
    pub fabfile: Option<PathBuf>,
    /// Whether a flag replaces the tasks.
    pub alone: bool,
    pub last: &'a str,
    pub place: WordKind<'a>,
}

/// What the last word is.
#[derive(Debug, PartialEq)]
pub enum WordKind<'a> {
    /// A task, or an argument.
    Word,
    Flag,
    /// A flag's value; `begun` is the part of the same word before it.
    Value {
        flag: String,
        begun: &'a str,
    },
    /// A part of the command after `--`.
    Command,
}

impl<'a> Typed<'a> {
    /// Reads the words, of which the last one is being typed.
    pub fn of(words: &'a [String], flags: &[Flag]) -> Typed<'a> {
        let (last, before) = words.split_last().map_or(("", words), |(last, before)| (last.as_str(), before));
        let mut typed = Typed { words: Vec::new(), fabfile: None, alone: false, last, place: WordKind::Word };
        let known = |text: &str| flags.iter().find(|flag| flag.long == text || flag.short.as_deref() == Some(text));
        let mut wanting: Option<&Flag> = None;
        for word in before {
            if let Some(flag) = wanting.take()
                && (flag.value == FlagValue::Needed || !word.starts_with('-'))
            {
                typed.fabfile = typed.fabfile.take().or_else(|| (flag.long == "--fabfile").then(|| word.into()));
                continue;
            }
            if word == "--" {
                typed.place = WordKind::Command;
                return typed;
            }
            if !word.starts_with('-') {
                typed.words.push(word);
                continue;
            }
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let Some(flag) = known(name) else { continue };
            typed.alone |= flag.alone;
            match value {
                Some(value) if flag.long == "--fabfile" => typed.fabfile = Some(value.into()),
                Some(_) => {}
                None => {
                    wanting = Some(flag).filter(|flag| matches!(flag.value, FlagValue::Needed | FlagValue::Optional))
                }
            }
        }
        let value = |flag: &Flag, begun| WordKind::Value { flag: flag.long.clone(), begun };
        typed.place = match (wanting, last.split_once('=')) {
            (Some(flag), _) if flag.value == FlagValue::Needed || !last.starts_with('-') => value(flag, ""),
            (_, Some((name, _))) if last.starts_with('-') => {
                known(name).map_or(WordKind::Flag, |flag| value(flag, &last[..=name.len()]))
            }
            _ if last.starts_with('-') => WordKind::Flag,
            _ => WordKind::Word,
        };
        typed
    }
}
