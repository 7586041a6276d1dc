//! What happened in a run: few events, in the past tense, for every listener.
use crate::{
    failure::{Exit, Failure},
    host::Name,
    secret::Masks,
};
use serde::Serialize;

/// Something that happened in a run.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// The version of this format.
    pub v: u8,
    /// Milliseconds since the run began.
    pub at: u64,
    pub run: Name,
    /// The path of `each` calls and hosts where it happened; empty in a task itself.
    pub lane: Name,
    #[serde(flatten)]
    pub what: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The command line was read; `line` is its normal form.
    RunStarted {
        line: String,
        who: String,
        world: &'static str,
    },
    TaskStarted {
        task: String,
    },
    /// A task's value became the targets of the tasks after it.
    TargetsChanged {
        fleet: Name,
        hosts: Vec<Name>,
        of: usize,
        selection: String,
    },
    /// A host didn't answer the first connection.
    HostUnreachable {
        host: Name,
        message: String,
    },
    /// The state of hosts in their pools was read or changed: the hosts that differ from the last such event.
    BalanceSeen {
        fleet: Name,
        hosts: Vec<HostPlace>,
    },
    /// One thing begins on many hosts, each in a lane that starts as soon as there is room.
    HostsStarted {
        hosts: Vec<Name>,
    },
    /// A host's lane ended.
    HostFinished {
        host: Name,
        failure: Option<Failure>,
    },
    StepStarted {
        step: String,
        host: Option<Name>,
    },
    StepFinished {
        step: String,
        host: Option<Name>,
        took: u64,
        failed: bool,
    },
    EffectStarted {
        effect: &'static str,
        kind: EffectKind,
        host: Option<Name>,
        text: String,
    },
    EffectFinished {
        effect: &'static str,
        kind: EffectKind,
        host: Option<Name>,
        text: String,
        took: u64,
        failure: Option<Failure>,
    },
    /// A command on a host printed a line.
    Printed {
        host: Name,
        stream: Stream,
        line: String,
    },
    /// The current effect of a lane made progress.
    Progressed {
        host: Option<Name>,
        /// What `done` counts: `sent`, `got`, `fetched`, `open requests ended`, `good responses`, `waited`.
        what: String,
        done: u64,
        /// 0 as long as it isn't known.
        total: u64,
        /// `bytes`, `objects`, `requests`, `responses` or `seconds`.
        unit: &'static str,
    },
    /// Another run holds the lock, and this run waits for it.
    LockAwaited {
        fleet: Name,
        holder: String,
    },
    /// A script noted something with `ui::note`, or rfab did.
    Noted {
        host: Option<Name>,
        text: String,
    },
    /// A person should look at something.
    Warned {
        host: Option<Name>,
        text: String,
    },
    TaskFinished {
        task: String,
        took: u64,
        failure: Option<Failure>,
    },
    /// The last event of every run.
    RunFinished {
        exit: Exit,
        took: u64,
        table: Vec<HostRow>,
        next: Vec<String>,
        failures: Vec<Failure>,
        /// The files on this machine that keep what hosts printed.
        logs: Vec<LogFile>,
    },
}

impl EventKind {
    /// Removes secrets from its texts; names of hosts, fleets and files stay.
    pub fn mask(&mut self, masks: &Masks) {
        match self {
            EventKind::RunStarted { line: text, .. }
            | EventKind::TargetsChanged { selection: text, .. }
            | EventKind::HostUnreachable { message: text, .. }
            | EventKind::StepStarted { step: text, .. }
            | EventKind::StepFinished { step: text, .. }
            | EventKind::TaskStarted { task: text }
            | EventKind::EffectStarted { text, .. }
            | EventKind::Printed { line: text, .. }
            | EventKind::Progressed { what: text, .. }
            | EventKind::LockAwaited { holder: text, .. }
            | EventKind::Noted { text, .. }
            | EventKind::Warned { text, .. } => masks.clean(text),
            EventKind::EffectFinished { text, failure, .. } | EventKind::TaskFinished { task: text, failure, .. } => {
                masks.clean(text);
                failure.iter_mut().for_each(|failure| failure.mask(masks));
            }
            EventKind::HostFinished { failure, .. } => failure.iter_mut().for_each(|failure| failure.mask(masks)),
            // These have only names, and the few words that a balancer reports.
            EventKind::BalanceSeen { .. } | EventKind::HostsStarted { .. } => {}
            EventKind::RunFinished { table, next, failures, .. } => {
                table.iter_mut().for_each(|row| row.mask(masks));
                next.iter_mut().for_each(|line| masks.clean(line));
                failures.iter_mut().for_each(|failure| failure.mask(masks));
            }
        }
    }
}

/// How an effect may be repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectKind {
    /// May be repeated freely.
    Read,
    /// May be checked, then repeated.
    Change,
    /// Mustn't be repeated unchecked.
    Once,
    /// Is taken again by a resumed run.
    Hold,
    /// Tells people something: a run does it once, and it counts as no change.
    Notice,
}

impl EffectKind {
    /// Returns whether the world may be another one afterwards: a person can do anything in a terminal that is held.
    pub fn may_change(self) -> bool {
        !matches!(self, EffectKind::Read | EffectKind::Notice)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Out,
    Err,
}

/// The log of a host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogFile {
    pub host: Name,
    pub file: String,
}

/// A host in the closing table.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct HostRow {
    pub host: Name,
    /// The release before the run, such as `0003-9ab0c1d2e3f4`.
    pub old: Option<String>,
    /// The name of that release, such as `v3.0.0`, if one was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_name: Option<String>,
    /// The release after the run.
    pub new: Option<String>,
    /// The name of that release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    pub balancer: PoolState,
    pub result: Outcome,
    /// What else a person must know: why it failed, or `version not proven`.
    pub note: Option<String>,
    /// How long after the put-back the run saw the host serve, in milliseconds, if the run put it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<u64>,
}

impl HostRow {
    /// Removes secrets from the note.
    pub fn mask(&mut self, masks: &Masks) {
        self.note.iter_mut().for_each(|note| masks.clean(note));
    }
}

/// Whether a host is live in its pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolState {
    /// Ready in all its pools.
    Live,
    /// Drained or in maintenance in all its pools.
    Out,
    /// Some of each.
    Mixed,
    /// In no pool.
    None,
    /// The balancer didn't tell.
    Unknown,
}

/// A host's state in the balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostPlace {
    pub host: Name,
    pub group: Option<Name>,
    pub balancer: PoolState,
    /// Requests that are open on it; updated while it isn't live.
    pub open: u64,
}

/// What a run did to a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok,
    Failed,
    Unchanged,
    Untouched,
    Unknown,
}

/// A receiver of events.
pub trait Listener: Send + Sync {
    fn tell(&self, event: &Event);

    /// Runs a talk with a person while nothing else is shown.
    fn aside(&self, talk: &mut dyn FnMut()) {
        talk();
    }
}
