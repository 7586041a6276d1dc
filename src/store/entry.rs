//! A run in one glance, as its journal tells it.
use super::{Head, Tail, read};
use crate::{failure::Exit, host::Name};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, fs, io, path::Path};

/// A run in one glance; also what `--history --json` writes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// RFC 3339.
    pub since: String,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    pub line: String,
    pub flags: Vec<String>,
    pub fabfile: String,
    pub digest: String,
    /// In the line's order.
    pub tasks: Vec<Name>,
    pub fleets: BTreeSet<Name>,
    /// Those that something was done on, or that the closing table names.
    pub hosts: BTreeSet<Name>,
    pub commit: Option<Name>,
    pub outcome: Ending,
    /// The exit code; none while it has not come to its end.
    pub exit: Option<u8>,
    /// Milliseconds.
    pub took: Option<u64>,
}

/// How a run ended, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Done,
    /// Done, but hosts were left out.
    LeftOut,
    Failed,
    /// Its operator stopped it.
    Interrupted,
    /// Another run took back what it did.
    Aborted,
    /// It died before its end.
    Unfinished,
    /// It has not come to its end, and is written to at this moment; an index does not know this.
    Running,
}

impl Ending {
    pub const ALL: [Ending; 7] = [
        Ending::Done,
        Ending::LeftOut,
        Ending::Failed,
        Ending::Interrupted,
        Ending::Aborted,
        Ending::Unfinished,
        Ending::Running,
    ];

    /// Whether nothing of it is left to do.
    pub fn is_done(self) -> bool {
        matches!(self, Ending::Done | Ending::Aborted)
    }

    pub fn word(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::LeftOut => "left-out",
            Ending::Failed => "failed",
            Ending::Interrupted => "interrupted",
            Ending::Aborted => "aborted",
            Ending::Unfinished => "unfinished",
            Ending::Running => "running",
        }
    }

    fn of(exit: u8) -> Ending {
        match Exit::ALL.into_iter().map(|(exit, _)| exit).find(|e| e.code() == exit) {
            Some(Exit::Done) => Ending::Done,
            Some(Exit::LeftOut) => Ending::LeftOut,
            Some(Exit::HungUp | Exit::Interrupted | Exit::Terminated) => Ending::Interrupted,
            _ => Ending::Failed,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Entry {
    /// What is known of a run that begins.
    pub fn begun(head: &Head) -> Entry {
        let head = head.clone();
        Entry {
            v: 1,
            run: head.run,
            since: head.since,
            who: head.who,
            on_behalf_of: head.on_behalf_of,
            from: head.from,
            line: head.line,
            flags: head.flags,
            fabfile: head.fabfile,
            digest: head.digest,
            tasks: head.tasks,
            fleets: BTreeSet::new(),
            hosts: BTreeSet::new(),
            commit: None,
            outcome: Ending::Unfinished,
            exit: None,
            took: None,
        }
    }

    /// When it began, in milliseconds since 1970.
    pub fn began(&self) -> i64 {
        self.since.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond)
    }

    fn ended(&mut self, tail: Tail) {
        self.hosts.extend(tail.table.into_iter().map(|row| row.host));
        self.commit = tail.commit;
        self.outcome = Ending::of(tail.exit);
        (self.exit, self.took) = (Some(tail.exit), Some(tail.took));
    }
}

/// What an entry is made of; records of other kinds, and of later versions, are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Begun(Box<Head>),
    Fleet {
        name: Name,
    },
    Effect {
        host: Option<Name>,
        /// `WHAT FLEET/HOST`.
        things: Vec<String>,
    },
    Ended(Tail),
    Aborted {},
}

/// An entry, and how many bytes the journal had that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    pub entry: Entry,
    pub size: u64,
}

/// Reads a journal; of one without a head there is nothing to tell.
pub fn glance(path: &Path) -> io::Result<Option<Glance>> {
    // Asked first: what is written meanwhile makes it longer, and is seen the next time.
    let size = fs::metadata(path)?.len();
    let mut parts = read(path)?.records.into_iter().map(|text| serde_json::from_slice::<Part>(&text).ok());
    let Some(Some(Part::Begun(head))) = parts.next() else { return Ok(None) };
    let (mut entry, mut last) = (Entry::begun(&head), None);
    for part in parts {
        match &part {
            Some(Part::Fleet { name }) => drop(entry.fleets.insert(name.clone())),
            Some(Part::Effect { host, things }) => {
                entry.hosts.extend(host.clone());
                entry.fleets.extend(things.iter().filter_map(|thing| fleet(thing)));
            }
            _ => {}
        }
        last = part;
    }
    // A run that was resumed goes on behind the end of an earlier attempt.
    match last {
        Some(Part::Ended(tail)) => entry.ended(tail),
        Some(Part::Aborted {}) => entry.outcome = Ending::Aborted,
        _ => {}
    }
    Ok(Some(Glance { entry, size }))
}

fn fleet(thing: &str) -> Option<Name> {
    Some(thing.rsplit_once(' ')?.1.split_once('/')?.0.into())
}
