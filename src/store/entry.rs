//! A summary of a run, read from its journal.
use super::{Head, JournalTail, read};
use crate::{
    event::EffectKind,
    failure::{Exit, Reason},
    host::Name,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::Path,
};

/// A summary of a run, which `--history --json` prints, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// The version of this format.
    pub v: u8,
    pub run: Name,
    /// When it began, in RFC 3339.
    pub since: String,
    pub who: String,
    pub on_behalf_of: Option<String>,
    pub from: String,
    pub line: String,
    pub flags: Vec<String>,
    pub fabfile: String,
    pub digest: String,
    /// The tasks, in the line's order.
    pub tasks: Vec<Name>,
    pub fleets: BTreeSet<Name>,
    /// The hosts that something was done on, and those in the closing table.
    pub hosts: BTreeSet<Name>,
    pub commit: Option<Name>,
    /// The name that people use for the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub outcome: Ending,
    /// The exit code; none if the run has no end.
    pub exit: Option<u8>,
    /// How long it took, in milliseconds.
    pub took: Option<u64>,
    /// What it changed, or may have; none if an earlier rfab indexed it.
    #[serde(default)]
    pub changed: Option<Changed>,
}

/// What a run changed, or may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The fleets with hosts that it changed.
    pub fleets: BTreeSet<Name>,
    /// Whether it changed something outside all fleets, such as by a command on this machine.
    pub here: bool,
}

impl Changed {
    pub fn is_nothing(&self) -> bool {
        self.fleets.is_empty() && !self.here
    }

    fn and(&mut self, other: Changed) {
        self.fleets.extend(other.fleets);
        self.here |= other.here;
    }
}

/// How a run ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Done,
    /// Done, but hosts were left out.
    LeftOut,
    Failed,
    /// Its operator stopped it.
    Interrupted,
    /// Another run undid what it did.
    Aborted,
    /// It died before its end.
    Unfinished,
    /// It has no end, and is being written at the moment; an index doesn't know this.
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

    /// Returns whether nothing of the run is left to do.
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

impl RunEntry {
    /// Makes the summary of a run that begins.
    pub fn begun(head: &Head) -> RunEntry {
        let head = head.clone();
        RunEntry {
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
            name: None,
            outcome: Ending::Unfinished,
            exit: None,
            took: None,
            changed: Some(Changed::default()),
        }
    }

    /// Returns the run that this one aborts, if any.
    pub fn undoes(&self) -> Option<&str> {
        self.line.strip_prefix("--abort ")
    }

    /// Returns when the run began, in milliseconds since 1970.
    pub fn began(&self) -> i64 {
        self.since.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond)
    }

    fn ended(&mut self, tail: JournalTail) {
        self.hosts.extend(tail.table.into_iter().map(|row| row.host));
        (self.commit, self.name) = (tail.commit, tail.name);
        self.outcome = Ending::of(tail.exit);
        (self.exit, self.took) = (Some(tail.exit), Some(tail.took));
    }
}

/// The records that a summary is made from; records of other kinds or later versions are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Begun(Box<Head>),
    Fleet {
        name: Name,
    },
    Effect {
        lane: Name,
        number: u32,
        name: String,
        kind: EffectKind,
        host: Option<Name>,
        /// Each is `WHAT FLEET/HOST`; a read has none.
        things: Vec<String>,
    },
    Answered {
        lane: Name,
        number: u32,
    },
    Failed {
        lane: Name,
        number: u32,
        failure: WrittenReason,
    },
    Ended(JournalTail),
    Aborted {},
}

#[derive(Deserialize)]
struct WrittenReason {
    reason: Reason,
}

/// A change counts as made until it's known to have failed.
#[derive(Default)]
struct Changes {
    made: Changed,
    begun: BTreeMap<(Name, u32), Changed>,
}

impl Changes {
    fn begins(&mut self, lane: &Name, number: u32, what: Changed) {
        if !what.is_nothing()
            && let Some(before) = self.begun.insert((lane.clone(), number), what)
        {
            self.made.and(before);
        }
    }

    fn ends(&mut self, lane: &Name, number: u32, failed: Option<Reason>) {
        let what = self.begun.remove(&(lane.clone(), number)).unwrap_or_default();
        if failed.is_none_or(|reason| reason == Reason::Unknown) {
            self.made.and(what);
        }
    }

    fn all(mut self) -> Changed {
        self.begun.into_values().for_each(|what| self.made.and(what));
        self.made
    }
}

/// Changes that only record other changes, or that make objects in a repository which nothing names yet.
const LEAVES_NOTHING: [&str; 4] = ["mark", "number", "prepare", "prepare_tag"];

/// A summary, and the size of the journal that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunSummary {
    pub entry: RunEntry,
    pub size: u64,
}

/// Reads the summary of a journal; none if the journal has no head.
pub(super) fn glance(path: &Path) -> io::Result<Option<RunSummary>> {
    // Before reading: a journal that grows meanwhile is then longer than this, and is read again the next time.
    let size = fs::metadata(path)?.len();
    let mut parts = read(path)?.records.into_iter().map(|text| serde_json::from_slice::<Part>(&text).ok());
    let Some(Some(Part::Begun(head))) = parts.next() else { return Ok(None) };
    let (mut entry, mut last, mut changes) = (RunEntry::begun(&head), None, Changes::default());
    for part in parts {
        match &part {
            Some(Part::Fleet { name }) => drop(entry.fleets.insert(name.clone())),
            Some(Part::Effect { lane, number, name, kind, host, things }) => {
                let fleets: BTreeSet<Name> = things.iter().filter_map(|thing| fleet(thing)).collect();
                entry.hosts.extend(host.clone());
                entry.fleets.extend(fleets.iter().cloned());
                // What each attempt does again, such as a report to a forge, isn't a part of the run.
                let is_aside = lane.contains('!');
                let changes_it =
                    matches!(kind, EffectKind::Change | EffectKind::Once) && !LEAVES_NOTHING.contains(&&**name);
                changes.begins(lane, *number, Changed { here: changes_it && !is_aside && fleets.is_empty(), fleets });
            }
            Some(Part::Answered { lane, number }) => changes.ends(lane, *number, None),
            Some(Part::Failed { lane, number, failure }) => changes.ends(lane, *number, Some(failure.reason)),
            _ => {}
        }
        last = part;
    }
    // A resumed run has records after the end of an earlier attempt.
    match last {
        Some(Part::Ended(tail)) => entry.ended(tail),
        Some(Part::Aborted {}) => entry.outcome = Ending::Aborted,
        _ => {}
    }
    entry.changed = Some(changes.all());
    Ok(Some(RunSummary { entry, size }))
}

fn fleet(thing: &str) -> Option<Name> {
    Some(thing.rsplit_once(' ')?.1.split_once('/')?.0.into())
}
