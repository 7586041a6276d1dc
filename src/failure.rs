//! What a call throws, and how a run ends.
use crate::{host::Name, secret::Masks};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a run ended, as a process's exit code; written as its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A task failed.
    Failed = 1,
    /// rfab didn't understand the command line.
    Usage = 2,
    /// The fabfile or the fleet file is wrong.
    Fabfile = 3,
    /// A host can't be reached: it's down, silent, or its key is unknown or changed.
    Unreachable = 4,
    /// Another operator holds the lock.
    Locked = 5,
    /// The balancer refused, or its state is unknown.
    Balancer = 6,
    /// An invariant refused a step, and the step changed nothing.
    Refused = 7,
    /// Done, but hosts were left out.
    LeftOut = 8,
    /// The state of a host is unknown.
    Unknown = 9,
    /// The selection has no hosts.
    NoHosts = 10,
    /// Hung up (SIGHUP).
    HungUp = 129,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [(Exit, &'static str); 14] = [
        (Exit::Done, "done"),
        (Exit::Failed, "a task failed"),
        (Exit::Usage, "rfab didn't understand the command line"),
        (Exit::Fabfile, "the fabfile or the fleet file is wrong"),
        (Exit::Unreachable, "a host can't be reached (down, silent, or its key is unknown or changed)"),
        (Exit::Locked, "another operator holds the lock"),
        (Exit::Balancer, "the balancer refused, or its state is unknown"),
        (Exit::Refused, "a safety rule refused a step, and the step changed nothing"),
        (Exit::LeftOut, "done, but hosts were left out"),
        (Exit::Unknown, "the state of a host is unknown"),
        (Exit::NoHosts, "the selection has no hosts"),
        (Exit::HungUp, "hung up (SIGHUP)"),
        (Exit::Interrupted, "interrupted (SIGINT)"),
        (Exit::Terminated, "terminated (SIGTERM)"),
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// The one that counts where several hold: the first of 9, 6, 4, 1, 8.
    pub fn worse(self, other: Exit) -> Exit {
        const ORDER: [Exit; 5] = [Exit::Unknown, Exit::Balancer, Exit::Unreachable, Exit::Failed, Exit::LeftOut];
        let rank = |exit: Exit| match exit {
            Exit::Done => usize::MAX,
            _ => ORDER.iter().position(|e| *e == exit).unwrap_or(0),
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl Serialize for Exit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

/// Stands in a help for the words of the line that name hosts.
pub const HOSTS: &str = "{hosts}";

/// How a help or a message says that the call left everything as it was; told otherwise once the run changed something.
pub const UNCHANGED: &str = "nothing was changed";

/// How a failure ends that is about a host whose key nobody has taken up.
pub const STRANGE_KEY: &str = "isn't known, so rfab doesn't trust it";

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It was done and did not work.
    Failed,
    /// The command line asks for something that there is not.
    Usage,
    /// The script or the fleet asks for something that there is not.
    Fabfile,
    /// A host cannot be reached.
    Unreachable,
    /// Another operator holds the lock.
    Locked,
    /// This run has lost the lock: nothing more is done.
    Unlocked,
    /// The balancer refused, or its state is unknown.
    Balancer,
    /// An invariant refused; nothing was done.
    Refused,
    /// Nobody knows whether it was done.
    Unknown,
    /// The selection has no hosts.
    NoHosts,
    /// A plan cannot know this. A script cannot catch it.
    Unknowable,
    /// The operator interrupted; `defer`s still run. A script cannot catch it.
    Interrupted,
    /// The operator died here (simulated). A script cannot catch it.
    Killed,
}

impl Reason {
    pub fn exit(self) -> Exit {
        match self {
            Reason::Failed | Reason::Unknowable | Reason::Killed => Exit::Failed,
            Reason::Usage => Exit::Usage,
            Reason::Fabfile => Exit::Fabfile,
            Reason::Unreachable => Exit::Unreachable,
            Reason::Locked => Exit::Locked,
            Reason::Balancer => Exit::Balancer,
            Reason::Refused => Exit::Refused,
            Reason::Unknown | Reason::Unlocked => Exit::Unknown,
            Reason::NoHosts => Exit::NoHosts,
            Reason::Interrupted => Exit::Interrupted,
        }
    }
}

/// What a call throws: worded for people, with what a script may ask about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: Reason,
    /// Lower case, the thing in backticks, no full stop.
    pub message: String,
    /// What to do or type next.
    pub help: Option<String>,
    pub host: Option<Name>,
    /// A command's exit status.
    pub status: Option<i32>,
    /// Where in files it lies: the place itself first, then what led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Excerpt>,
}

/// A part of a file that a report shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The file's name, as a person knows it.
    pub file: String,
    /// The whole text of the file.
    #[serde(skip)]
    pub text: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// In characters; at least 1.
    pub length: usize,
    /// What is said about it; may be empty.
    pub label: String,
}

impl Excerpt {
    /// The part of a text between two byte positions, as far as its first line goes.
    pub fn of(file: &str, text: &str, span: std::ops::Range<usize>) -> Excerpt {
        let start = span.start.min(text.len());
        let before = &text[..start];
        let shown = text.get(start..span.end.min(text.len())).unwrap_or("").split('\n').next().unwrap_or_default();
        Excerpt {
            file: file.to_owned(),
            text: text.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            length: shown.chars().count().max(1),
            label: String::new(),
        }
    }

    /// The word, number or text of a script that begins at a line and column; one character if it is none of these.
    pub fn word(file: &str, text: &str, line: usize, column: usize) -> Excerpt {
        let rest: Vec<char> = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().chars().collect();
        let rest = rest.get(column.saturating_sub(1)..).unwrap_or_default();
        let part = |c: &char| c.is_alphanumeric() || *c == '_';
        let length = match rest {
            [quote @ ('"' | '`'), inside @ ..] => {
                let closes = |pair: &[char]| pair[1] == *quote && pair[0] != '\\';
                if inside.first() == Some(quote) {
                    2
                } else {
                    inside.windows(2).position(closes).map_or(1, |at| at + 3)
                }
            }
            ['.', name @ ..] => 1 + name.iter().take_while(|c| part(c)).count(),
            [first, ..] if part(first) => rest.iter().take_while(|c| part(c)).count(),
            _ => 1,
        };
        let (file, text) = (file.to_owned(), text.to_owned());
        Excerpt { file, text, line, column, length, label: String::new() }
    }

    /// With what is said about it.
    pub fn labelled(self, label: impl Into<String>) -> Excerpt {
        Excerpt { label: label.into(), ..self }
    }
}

impl Failure {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), help: None, host: None, status: None, places: Vec::new() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Reason::Failed, message)
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Reason::Refused, message)
    }

    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Reason::Unknown, message)
    }

    /// Puts the words that name hosts into the help, where it leaves a place for them.
    pub fn naming(mut self, words: &str) -> Self {
        if let Some(help) = self.help.as_mut().filter(|help| help.contains(HOSTS)) {
            let place = if words.is_empty() { format!("{HOSTS} ") } else { HOSTS.to_owned() };
            *help = help.replace(&place, words);
        }
        self
    }

    /// The same in a run that changed something before: the call changed nothing, the run did.
    pub fn after_changes(mut self) -> Self {
        self.message = told_after_changes(&self.message);
        self.help = self.help.map(|help| told_after_changes(&help));
        self
    }

    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub fn on(self, host: &Name) -> Self {
        Self { host: Some(host.clone()), ..self }
    }

    /// The same, with one more place where it lies.
    pub fn at(mut self, place: Excerpt) -> Self {
        self.places.push(place);
        self
    }

    pub fn status(self, status: i32) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Takes secrets out of its texts.
    pub fn mask(&mut self, masks: &Masks) {
        masks.clean(&mut self.message);
        self.help.iter_mut().for_each(|help| masks.clean(help));
        for place in &mut self.places {
            masks.clean(&mut place.label);
            place.text = masks.in_place(&place.text).into_owned();
        }
    }

    /// Whether a script's `try` may see it.
    pub fn catchable(&self) -> bool {
        !matches!(self.reason, Reason::Killed | Reason::Interrupted | Reason::Unknowable)
    }
}

/// A text that may say that nothing was changed, in a run that changed something before.
pub fn told_after_changes(text: &str) -> String {
    text.replace(UNCHANGED, "nothing more was changed")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_changed_before_is_not_denied() {
        let failure = Failure::refused("2 problems, and nothing was changed: x").help("nothing was changed; see `y`");
        let told = failure.after_changes();
        assert_eq!(told.message, "2 problems, and nothing more was changed: x");
        assert_eq!(told.help.as_deref(), Some("nothing more was changed; see `y`"));
    }

    #[test]
    fn a_place_in_a_script_is_as_long_as_what_stands_there() {
        let length = |text: &str| Excerpt::word("f", text, 1, 3).length;
        let lengths =
            ["  reference + 1", "  .selct(x)", "  \"a \\\" b\" + c", "  \"\"", "  `x${y}`;", "  20;", "  );", ""];
        assert_eq!(lengths.map(length), [9, 6, 8, 2, 7, 2, 1, 1]);
    }
}
