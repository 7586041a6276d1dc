//! What an effect is about, and what is known of it.
use crate::{
    host::{Host, Name},
    port::{Admin, Note},
};

/// Whom an effect is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Host(&'a Host),
    Fleet(&'a Name),
    Repository(&'a str),
    /// The machine that rfab runs on, or the person at its terminal.
    Here,
}

impl Subject<'_> {
    pub fn host(&self) -> Option<&Name> {
        match self {
            Subject::Host(host) => Some(&host.name),
            _ => None,
        }
    }

    pub fn fleet(&self) -> Option<&Name> {
        match self {
            Subject::Host(host) => Some(&host.fleet),
            Subject::Fleet(fleet) => Some(fleet),
            _ => None,
        }
    }
}

/// What an effect changes, in the words of the invariants.
#[derive(Clone, Copy, Debug)]
pub enum Touch<'a> {
    Nothing,
    /// A release that is not current, or another file that nothing serves.
    Staged {
        host: &'a Host,
    },
    /// What a host serves: its current release, its processes.
    Served {
        host: &'a Host,
    },
    /// A file on a host; whether it is served depends on where it lies.
    Written {
        host: &'a Host,
        path: &'a str,
    },
    /// Whether servers get requests, in all their pools.
    Admin {
        hosts: &'a [Host],
        to: Admin,
    },
    /// Nobody can know: a raw command.
    Anything {
        host: &'a Host,
    },
    /// What is written down for the fleet: numbers and marks.
    Recorded {
        fleet: &'a Name,
    },
    /// This machine, or a repository.
    Here,
}

impl Touch<'_> {
    /// The fleet that it changes something of.
    pub fn fleet(&self) -> Option<&Name> {
        match self {
            Touch::Nothing | Touch::Here => None,
            Touch::Staged { host }
            | Touch::Served { host }
            | Touch::Written { host, .. }
            | Touch::Anything { host } => Some(&host.fleet),
            Touch::Admin { hosts, .. } => hosts.first().map(|h| &h.fleet),
            Touch::Recorded { fleet } => Some(fleet),
        }
    }

    /// The hosts that it changes something of.
    pub fn hosts(&self) -> &[Host] {
        match self {
            Touch::Staged { host }
            | Touch::Served { host }
            | Touch::Written { host, .. }
            | Touch::Anything { host } => std::slice::from_ref(*host),
            Touch::Admin { hosts, .. } => hosts,
            Touch::Nothing | Touch::Recorded { .. } | Touch::Here => &[],
        }
    }
}

/// Whether an effect that was in flight has happened.
#[derive(Debug, PartialEq)]
pub enum Seen<T> {
    Done(T),
    Not,
    /// A command of it still runs on the host.
    Running,
    Cannot,
}

impl<T> Seen<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Seen::Done(t) => Seen::Done(f(t)),
            Seen::Not => Seen::Not,
            Seen::Running => Seen::Running,
            Seen::Cannot => Seen::Cannot,
        }
    }
}

/// What a ledger line says of an effect besides whom it is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// The effect's word in the ledger, where its name would say too little.
    pub word: Option<&'static str>,
    pub commit: Option<Name>,
    /// What else a service may call the commit.
    pub names: Option<Vec<String>>,
    pub reason: Option<String>,
}

/// A pair of ledger lines, and where they go.
#[derive(Clone, Debug)]
pub struct Noting {
    /// The host of `fleet` that the change is about.
    pub host: Name,
    /// The ledger of the fleet's state folder on this balancer; else the host's own.
    pub place: Option<Name>,
    /// `BALANCER/POOL`: where alone the host's servers change; none where all do.
    pub places: Option<Vec<String>>,
    pub note: Note,
}
