//! What an effect is about, what it changes, and what is known of it.
use crate::{
    host::{Host, Name},
    port::{Admin, LedgerLines},
};

/// What an effect is about.
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

/// What an effect changes, in the terms of the invariants.
#[derive(Clone, Copy, Debug)]
pub enum Touch<'a> {
    Nothing,
    /// A release that isn't current, or another file that nothing serves.
    Staged {
        host: &'a Host,
    },
    /// What a host serves: its current release, its processes.
    Served {
        host: &'a Host,
    },
    /// A file on a host; its path decides whether it's served.
    Written {
        host: &'a Host,
        path: &'a str,
    },
    /// Whether servers get requests, in all their pools.
    Admin {
        hosts: &'a [Host],
        to: Admin,
    },
    /// A raw command: rfab can't tell what it changes.
    Anything {
        host: &'a Host,
    },
    /// The fleet's records: numbers and marks.
    Recorded {
        fleet: &'a Name,
    },
    /// This machine, or a repository.
    Here,
}

impl Touch<'_> {
    /// Returns the fleet that it changes.
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

    /// Returns the hosts that it changes.
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

/// Whether an effect that was in flight was done.
#[derive(Debug, PartialEq)]
pub enum Happened<T> {
    Done(T),
    Not,
    /// One of its commands still runs on the host.
    Running,
    Cannot,
}

impl<T> Happened<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Happened<U> {
        match self {
            Happened::Done(t) => Happened::Done(f(t)),
            Happened::Not => Happened::Not,
            Happened::Running => Happened::Running,
            Happened::Cannot => Happened::Cannot,
        }
    }
}

/// What a ledger line says about an effect besides its subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LedgerDetail {
    /// The effect's word in the ledger, if its name isn't clear enough.
    pub word: Option<&'static str>,
    pub commit: Option<Name>,
    /// Other names that a service may report for the commit.
    pub names: Option<Vec<String>>,
    pub reason: Option<String>,
}

/// A pair of ledger lines and the place that they go to.
#[derive(Clone, Debug)]
pub struct LedgerWrite {
    /// The host of `fleet` that the change is about.
    pub host: Name,
    /// The balancer that keeps the ledger of the fleet's state folder; `None` for the host's own ledger.
    pub place: Option<Name>,
    /// The only pools where the host's servers change, as `BALANCER/POOL`; `None` if they change in all.
    pub places: Option<Vec<String>>,
    pub lines: LedgerLines,
}
