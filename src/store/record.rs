//! The records of a journal.
use crate::{
    event::{EffectKind, HostRow},
    failure::Failure,
    fleet::Fleet,
    host::Name,
    port::Spent,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// One record; a run's first is its head, and its last is its tail, if the run has an end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Begun(Head),
    /// The run is resumed, after an attempt that died or failed.
    Resumed(Attempt),
    /// A fleet was added to the run.
    Fleet(Box<Fleet>),
    /// An effect is about to be performed.
    Effect {
        lane: Name,
        number: u32,
        /// The number of its attempt; the first is 0.
        #[serde(default)]
        attempt: u32,
        name: String,
        kind: EffectKind,
        host: Option<Name>,
        text: String,
        recorded: Box<RawValue>,
        /// What it changes: a later change of the same thing replaces it.
        things: Vec<String>,
        /// When it began, in milliseconds since its attempt did. Older journals lack it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
    },
    /// The effect returned after `took` milliseconds.
    Answered {
        lane: Name,
        number: u32,
        took: u64,
        /// What of that time went to what.
        #[serde(default, skip_serializing_if = "Spent::is_nothing")]
        spent: Spent,
        outcome: Box<RawValue>,
        /// Whether the outcome contained a secret: then it isn't handed back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        masked: bool,
    },
    Failed {
        lane: Name,
        number: u32,
        took: u64,
        #[serde(default, skip_serializing_if = "Spent::is_nothing")]
        spent: Spent,
        failure: Failure,
    },
    /// A lane ended, with this failure if it failed.
    LaneEnded {
        lane: Name,
        failure: Option<Failure>,
    },
    /// Results of earlier attempts from this effect on, and in the lanes forked there, aren't handed back any more.
    Left {
        lane: Name,
        number: u32,
    },
    /// The change here had been undone: what earlier attempts read from here on, and in the lanes forked here, is read
    /// again.
    Stale {
        lane: Name,
        number: u32,
    },
    /// A step that the script named is over.
    Step {
        lane: Name,
        step: String,
        host: Option<Name>,
        took: u64,
        failed: bool,
    },
    Ended(JournalTail),
    /// Another run undid what this one did.
    Aborted {
        by: Name,
    },
}

/// Who resumes a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// When the run began, in RFC 3339.
    pub since: String,
}

/// What is known about a run before its first connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// The command line's normal form; `flags` belong to it.
    pub line: String,
    /// The line's tasks, in order.
    #[serde(default)]
    pub tasks: Vec<Name>,
    pub flags: Vec<String>,
    /// The process's arguments, without the program's name: a resumed run is read from them.
    #[serde(alias = "typed")]
    pub argv: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// When the run began, in RFC 3339.
    pub since: String,
    /// The fabfile; `digest` is the sha256 of its text.
    pub fabfile: String,
    pub digest: String,
    /// The sha256 of each of the project's modules that it imports, by name.
    #[serde(default)]
    pub modules: BTreeMap<String, String>,
    /// The version of rfab, which determines the stdlib.
    #[serde(default)]
    pub rfab: String,
}

impl Head {
    /// Returns what differs between the start of the run and `now`.
    pub fn differences(&self, now: &Head) -> Vec<String> {
        let mut found = Vec::new();
        if self.line != now.line {
            found.push(format!("its line was `rfab {}`, which now means `rfab {}`", self.line, now.line));
        }
        if self.digest != now.digest {
            found.push(format!("`{}` has changed since", now.fabfile));
        }
        let names: BTreeSet<&String> = self.modules.keys().chain(now.modules.keys()).collect();
        for name in names {
            match (self.modules.get(name), now.modules.get(name)) {
                (Some(was), Some(is)) if was == is => {}
                (Some(_), Some(_)) => found.push(format!("module `{name}` has changed since")),
                (None, _) => found.push(format!("module `{name}` wasn't imported then")),
                (_, None) => found.push(format!("module `{name}` isn't imported any more")),
            }
        }
        if self.rfab != now.rfab {
            found.push(format!("it was started by rfab {}, and this is rfab {}", self.rfab, now.rfab));
        }
        found
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalTail {
    /// The exit code.
    pub exit: u8,
    /// How long the run took, in milliseconds.
    pub took: u64,
    /// The sum of the times that each lane waited for the journal, in milliseconds.
    #[serde(default)]
    pub journal: u64,
    pub commit: Option<Name>,
    /// The name that people use for the commit. Older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether a person has to do something that a resumed run wouldn't see, so the line is typed again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typed_again: bool,
    pub table: Vec<HostRow>,
}
