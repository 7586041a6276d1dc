//! What a journal's records say.
use crate::{
    event::{Kind, Row},
    failure::Failure,
    host::Name,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One record; a run's first is its head, and its last its tail, if it came to an end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Begun(Head),
    /// An effect is about to come through the door.
    Effect {
        lane: Name,
        number: u32,
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
    },
    Failed {
        lane: Name,
        number: u32,
        took: u64,
        failure: Failure,
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
}

/// What is known of a run before its first connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The process's arguments, without the program's name.
    pub typed: Vec<String>,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    /// RFC 3339.
    pub since: String,
    /// The fabfile, and the sha256 of its text.
    pub fabfile: String,
    pub digest: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// The exit code.
    pub exit: u8,
    /// Milliseconds.
    pub took: u64,
    pub commit: Option<Name>,
    pub table: Vec<Row>,
}
