//! What a script does to the outside, as a value; and the lanes that such values come from.
mod lane;
mod read;
mod record;
mod world;

pub use crate::event::Kind;
pub use lane::{Ask, Call, Door, Id, Lane};
pub use read::Read;
pub use record::{Answer, Answered, Record};
pub use world::{Alone, Work, World};

use crate::{
    event::What,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Model, Predicted},
    port::{Note, Real},
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Whom an effect is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Host(&'a Host),
    Fleet(&'a Name),
    Repository(&'a str),
    /// The machine that rfab runs on, or the person before it.
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

pub use crate::port::Admin;

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

/// Where an effect is carried out, and under which identity.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub real: &'a Real,
    pub lane: &'a Arc<Lane>,
    pub id: Id<'a>,
    /// What the ledger wants written with the change.
    pub notes: &'a [Noting],
}

impl At<'_> {
    /// Says something on behalf of the effect.
    pub fn tell(&self, what: What) {
        self.lane.tell(what);
    }

    /// The line that goes where this host's changes are written.
    pub fn note(&self) -> Option<Note> {
        self.notes.iter().find_map(|n| n.place.is_none().then(|| n.note.clone()))
    }
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

/// Something a script does to the outside.
pub trait Effect: Serialize + Send + Sync {
    type Outcome: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    const NAME: &'static str;
    const KIND: Kind;

    fn subject(&self) -> Subject<'_>;

    /// What it changes; invariants, ledger and resume read it.
    fn touch(&self) -> Touch<'_>;

    /// One line, for people.
    fn describe(&self) -> String;

    /// What the ledger keeps of it besides its name, host and pool.
    fn story(&self) -> Story {
        Story::default()
    }

    /// Does it, for real.
    fn carry_out(&self, at: At<'_>) -> impl Future<Output = Result<Self::Outcome, Failure>> + Send;

    /// Does it to the model.
    fn predict(&self, model: &mut Model) -> Predicted<Self::Outcome>;

    /// Reads whether it was done already, in whichever world.
    fn look(&self, _ask: Ask<'_>) -> Result<Seen<Self::Outcome>, Failure> {
        Ok(Seen::Cannot)
    }

    /// What it comes to if a person says that it was done; none if nobody can know.
    fn assumed(&self) -> Option<Self::Outcome> {
        None
    }

    /// Puts what a real read answered into the model.
    fn learn(&self, _outcome: &Self::Outcome, _model: &mut Model) {}
}

/// The fleets that a run has loaded, by name.
#[derive(Default)]
pub struct Fleets(std::sync::RwLock<std::collections::BTreeMap<Name, Arc<Fleet>>>);

impl Fleets {
    /// The fleet of this name, which must be the same.
    ///
    /// `Fabfile` when it is not.
    pub fn known(&self, fleet: &Fleet) -> Result<Option<Arc<Fleet>>, Failure> {
        match self.0.read().unwrap().get(&fleet.name) {
            Some(known) if **known != *fleet => {
                let message = format!("two fleets are named `{}`", fleet.name);
                Err(Failure::new(crate::failure::Cause::Fabfile, message)
                    .help("give one of them another file name or `name`"))
            }
            known => Ok(known.cloned()),
        }
    }

    /// Keeps a fleet, unless it is known already.
    pub fn keep(&self, fleet: Arc<Fleet>) -> Arc<Fleet> {
        self.0.write().unwrap().entry(fleet.name.clone()).or_insert(fleet).clone()
    }

    pub fn get(&self, name: &Name) -> Arc<Fleet> {
        self.0.read().unwrap().get(name).expect("hosts come from fleets that were admitted").clone()
    }

    pub fn all(&self) -> Vec<Arc<Fleet>> {
        self.0.read().unwrap().values().cloned().collect()
    }
}
