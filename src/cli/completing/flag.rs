//! The flags that shells complete, and the flag with which shells ask.
use super::Shell;
use crate::cli::{beside, request::Action};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::ffi::OsString;

/// A flag, as a shell completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The long name, with its dashes.
    pub long: String,
    pub short: Option<String>,
    pub about: String,
    pub value: FlagValue,
    /// Whether no task may stand beside it.
    pub alone: bool,
}

/// Whether a flag takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagValue {
    None,
    /// Only after `=`.
    Behind,
    Optional,
    Needed,
}

/// Returns every flag that `--help` shows.
pub fn all(command: &clap::Command) -> Vec<Flag> {
    let flags = command.get_arguments().filter(|flag| flag.get_long().is_some() && !flag.is_hide_set());
    let flag = |flag: &clap::Arg| {
        let optional = flag.get_num_args().is_some_and(|count| count.min_values() == 0);
        Flag {
            long: format!("--{}", flag.get_long().unwrap_or_default()),
            short: flag.get_short().map(|short| format!("-{short}")),
            about: flag.get_help().map(|help| help.to_string()).unwrap_or_default(),
            value: match flag.get_action().takes_values() {
                false => FlagValue::None,
                true if flag.is_require_equals_set() => FlagValue::Behind,
                true if optional => FlagValue::Optional,
                true => FlagValue::Needed,
            },
            alone: beside::is_alone(command, flag.get_id().as_str()),
        }
    };
    flags.map(flag).collect()
}

/// Reads `--complete SHELL -- WORD…`, which the scripts of `--completions` send.
///
/// The words are unfinished, so nothing else reads them.
pub fn asked(args: &[OsString]) -> Option<Action> {
    let [_, flag, shell, dashes, words @ ..] = args else { return None };
    let shell = Shell::ALL.into_iter().find(|known| *shell == *known.word())?;
    let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    (flag == "--complete" && dashes == "--").then_some(Action::Complete { shell, words })
}

/// Reads a shell's name.
pub fn parser() -> impl TypedValueParser<Value = Shell> {
    let of = |word: String| Shell::ALL.into_iter().find(|shell| shell.word() == word);
    PossibleValuesParser::new(Shell::ALL.map(Shell::word)).map(move |word| of(word).expect("it is one of them"))
}
