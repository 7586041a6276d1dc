//! What a journal's records say.
use crate::{
    event::{Kind, Row},
    failure::Failure,
    fleet::Fleet,
    host::Name,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// One record; a run's first is its head, and its last its tail, if it came to an end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Begun(Head),
    /// The run is resumed, after an attempt that died or failed.
    Resumed(Attempt),
    /// A fleet became known to the run.
    Fleet(Box<Fleet>),
    /// An effect is about to come through the door.
    Effect {
        lane: Name,
        number: u32,
        /// The attempt that it belongs to; the first is 0.
        #[serde(default)]
        attempt: u32,
        name: String,
        kind: Kind,
        host: Option<Name>,
        text: String,
        recorded: Box<RawValue>,
        /// What it changes: a later change of the same thing takes its place.
        things: Vec<String>,
    },
    /// It came back so many milliseconds later.
    Answered {
        lane: Name,
        number: u32,
        took: u64,
        outcome: Box<RawValue>,
        /// Whether a secret stood in it: it is not handed back then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        masked: bool,
    },
    Failed {
        lane: Name,
        number: u32,
        took: u64,
        failure: Failure,
    },
    /// A lane came to its end; how, if it failed.
    LaneEnded {
        lane: Name,
        failure: Option<Failure>,
    },
    /// What earlier attempts did from this effect on, and in the lanes forked there, is not handed back any more.
    Left {
        lane: Name,
        number: u32,
    },
    /// What was done here did not hold any more: what earlier attempts read from there on, and in the lanes forked
    /// there, is read afresh.
    Stale {
        lane: Name,
        number: u32,
    },
    /// A stretch of work that the script named is over.
    Step {
        lane: Name,
        step: String,
        host: Option<Name>,
        took: u64,
        failed: bool,
    },
    Ended(Tail),
    /// Another run took back what this one did.
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
    /// RFC 3339.
    pub since: String,
}

/// What is known of a run before its first connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// The command line's normal form, and the flags that belong to it.
    pub line: String,
    /// Its tasks, in its order.
    #[serde(default)]
    pub tasks: Vec<Name>,
    pub flags: Vec<String>,
    /// The process's arguments, without the program's name: a resumed run is read from them.
    #[serde(alias = "typed")]
    pub argv: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// RFC 3339.
    pub since: String,
    /// The fabfile, and the sha256 of its text.
    pub fabfile: String,
    pub digest: String,
    /// The sha256 of each module of the project that it imports, by name.
    #[serde(default)]
    pub modules: BTreeMap<String, String>,
    /// The version of rfab, whose stdlib the scripts use.
    #[serde(default)]
    pub rfab: String,
}

impl Head {
    /// What is another in `now` than when the run began.
    pub fn differences(&self, now: &Head) -> Vec<String> {
        let mut found = Vec::new();
        if self.line != now.line {
            found.push(format!("its line was `rfab {}`, and is understood as `rfab {}` now", self.line, now.line));
        }
        if self.digest != now.digest {
            found.push(format!("`{}` was changed since", now.fabfile));
        }
        let names: BTreeSet<&String> = self.modules.keys().chain(now.modules.keys()).collect();
        for name in names {
            match (self.modules.get(name), now.modules.get(name)) {
                (Some(was), Some(is)) if was == is => {}
                (Some(_), Some(_)) => found.push(format!("module `{name}` was changed since")),
                (None, _) => found.push(format!("module `{name}` wasn't imported then")),
                (_, None) => found.push(format!("module `{name}` isn't imported any more")),
            }
        }
        if self.rfab != now.rfab {
            found.push(format!("it was begun by rfab {}, and this is rfab {}", self.rfab, now.rfab));
        }
        found
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// The exit code.
    pub exit: u8,
    /// Milliseconds.
    pub took: u64,
    /// What of it lanes have waited for the journal, each for itself.
    #[serde(default)]
    pub journal: u64,
    pub commit: Option<Name>,
    /// What people call the commit. Older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub table: Vec<Row>,
}
