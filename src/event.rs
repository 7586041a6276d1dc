//! What happened: few, past tense, told to whoever listens.
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
    /// The path of `each` calls and hosts that it happened in; empty in a task itself.
    pub lane: Name,
    #[serde(flatten)]
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The command line was understood; `line` is its normal form.
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
    /// A host did not answer when it was first connected to.
    HostUnreachable {
        host: Name,
        message: String,
    },
    /// How hosts stand in their pools, as it was read or changed: those that stand otherwise than last told.
    BalanceSeen {
        fleet: Name,
        hosts: Vec<HostPlace>,
    },
    /// One thing begins on many hosts, each on a lane of its own as soon as there is room.
    HostsStarted {
        hosts: Vec<Name>,
    },
    /// A host's lane is over.
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
    /// A line that a command on a host printed.
    Printed {
        host: Name,
        stream: Stream,
        line: String,
    },
    /// How far the effect in hand of its lane is.
    Progressed {
        host: Option<Name>,
        /// What is done, of `total`: `sent`, `got`, `fetched`, `open requests ended`, `good responses`, `waited`.
        what: String,
        done: u64,
        total: u64,
        /// `bytes`, `objects`, `requests`, `responses` or `seconds`.
        unit: &'static str,
    },
    /// Somebody else holds the lock, and this run waits for it.
    LockAwaited {
        fleet: Name,
        holder: String,
    },
    /// What a script said by `ui::note`, or rfab itself.
    Noted {
        host: Option<Name>,
        text: String,
    },
    /// What a person should look at.
    Warned {
        host: Option<Name>,
        text: String,
    },
    TaskFinished {
        task: String,
        took: u64,
        failure: Option<Failure>,
    },
    /// Always the last one.
    RunFinished {
        exit: Exit,
        took: u64,
        table: Vec<HostRow>,
        next: Vec<String>,
        failures: Vec<Failure>,
        /// Where what hosts printed is kept on this machine.
        logs: Vec<LogFile>,
    },
}

impl What {
    /// Takes secrets out of its texts; names of hosts, fleets and files stay.
    pub fn mask(&mut self, masks: &Masks) {
        match self {
            What::RunStarted { line: text, .. }
            | What::TargetsChanged { selection: text, .. }
            | What::HostUnreachable { message: text, .. }
            | What::StepStarted { step: text, .. }
            | What::StepFinished { step: text, .. }
            | What::TaskStarted { task: text }
            | What::EffectStarted { text, .. }
            | What::Printed { line: text, .. }
            | What::Progressed { what: text, .. }
            | What::LockAwaited { holder: text, .. }
            | What::Noted { text, .. }
            | What::Warned { text, .. } => masks.clean(text),
            What::EffectFinished { text, failure, .. } | What::TaskFinished { task: text, failure, .. } => {
                masks.clean(text);
                failure.iter_mut().for_each(|failure| failure.mask(masks));
            }
            What::HostFinished { failure, .. } => failure.iter_mut().for_each(|failure| failure.mask(masks)),
            // Names, and what a balancer says of them by its own few words.
            What::BalanceSeen { .. } | What::HostsStarted { .. } => {}
            What::RunFinished { table, next, failures, .. } => {
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
    /// Free.
    Read,
    /// May be looked at and repeated.
    Change,
    /// May not be repeated unseen.
    Once,
    /// Taken anew by a resumed run.
    Hold,
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
    /// What people call it, such as `v3.0.0`, if anybody wrote that down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_name: Option<String>,
    /// The release after it.
    pub new: Option<String>,
    /// What people call that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    pub balancer: Standing,
    pub result: Outcome,
    /// What else must be known: why it failed, or `version not proven`.
    pub note: Option<String>,
    /// How long after its put-back the run saw it serve, in milliseconds, if it put it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<u64>,
}

impl HostRow {
    /// Takes secrets out of what is said of the host.
    pub fn mask(&mut self, masks: &Masks) {
        self.note.iter_mut().for_each(|note| masks.clean(note));
    }
}

/// How a host stands in its pools.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Ready in all its pools.
    Live,
    /// Drained or in maintenance in all its pools.
    Out,
    /// Some of each.
    Mixed,
    /// In no pool.
    None,
    /// The balancer did not say.
    Unknown,
}

/// A host in the balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostPlace {
    pub host: Name,
    pub group: Option<Name>,
    pub balancer: Standing,
    /// Requests that are open on it; told anew while it is not live.
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

/// Whoever is told.
pub trait Listener: Send + Sync {
    fn tell(&self, event: &Event);

    /// Has a person talked to while nothing else is shown.
    fn aside(&self, talk: &mut dyn FnMut()) {
        talk();
    }
}
