//! The shells: the script that each one reads once, and the format in which it reads choices.
use super::choice::Choice;
use crate::report;

/// A shell that completes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

    /// Returns its name.
    pub fn word(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }

    /// Returns the script that makes it complete lines of rfab.
    pub fn script(self) -> &'static str {
        match self {
            Shell::Bash => include_str!("scripts/rfab.bash"),
            Shell::Zsh => include_str!("scripts/rfab.zsh"),
            Shell::Fish => include_str!("scripts/rfab.fish"),
        }
    }
}

/// Formats choices for a shell, one on each line.
pub fn shown(shell: Shell, choices: &[Choice]) -> String {
    let line = |choice: &Choice| {
        let about = report::visible(&choice.about, false);
        match shell {
            Shell::Bash => format!("{}\n", choice.text),
            Shell::Zsh => format!("{}:{about}\n", choice.text.replace(':', "\\:")),
            Shell::Fish => format!("{}\t{about}\n", choice.text),
        }
    };
    choices.iter().map(line).collect()
}
