//! What a run knows of one host.
use crate::{
    balancer,
    event::Outcome,
    failure::{Failure, Reason},
    health::Probe,
    host::Name,
    model::{Release, Time},
    release::Listing,
};
use std::collections::BTreeMap;

/// What a run knows of one host.
#[derive(Clone, Debug, Default)]
pub struct HostState {
    /// What was current when it was first looked at; `Some(None)` is nothing.
    pub old: Option<Option<Release>>,
    pub new: Option<Option<Release>>,
    /// Whether this run drained it and did not put it back.
    pub drained: bool,
    /// What the next drain or ready of it is about.
    pub moves: Moves,
    /// When this run put it back, if it did and nobody took it out since by rfab.
    pub back: Option<Time>,
    /// How long after its put-back it was seen to serve, in milliseconds.
    pub looked: Option<Time>,
    /// That a balancer forgot it was out, and may have sent it requests meanwhile.
    pub exposed: Option<Failure>,
    /// Whether it was down at a look after this run put it back.
    pub died: bool,
    /// What proved it last.
    pub probe: Option<Probe>,
    /// The balancers' epochs when it was first seen out.
    pub out_since: Option<BTreeMap<Name, String>>,
    /// Where its servers went from drain into maintenance, so that nobody reaches it.
    pub shut: Vec<balancer::ServerPlace>,
    /// Whether a probe was good since it was last changed.
    pub proven: bool,
    pub changed: bool,
    /// Whether nobody knows how a change of it ended.
    pub doubtful: bool,
    pub unchanged: bool,
    /// Whether a person's command read from it, and that went well.
    pub answered: bool,
    /// Whether something was read from it.
    pub seen: bool,
    pub failure: Option<Failure>,
    /// What was on it when it was last looked at.
    pub listing: Option<Listing>,
    pub note: Option<String>,
    /// Why it could not be connected to before the first step.
    pub unreachable: Option<Failure>,
    /// Whether it is out by somebody else, so that only who names it looks at it.
    pub left_alone: bool,
}

/// Which of a host's servers a drain or a ready changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Moves {
    #[default]
    All,
    /// Those of these places, as `BALANCER/POOL`: the others were out before.
    Only(Vec<String>),
    /// None: it is out by somebody else, and stays theirs.
    Nothing,
}

impl HostState {
    /// How the run went on it.
    pub fn outcome(&self) -> Outcome {
        match &self.failure {
            Some(failure) if failure.reason() == Reason::Unknown => Outcome::Unknown,
            Some(_) => Outcome::Failed,
            None if self.changed => Outcome::Ok,
            None if self.doubtful => Outcome::Unknown,
            None if self.unchanged => Outcome::Unchanged,
            None if self.answered => Outcome::Ok,
            None => Outcome::Untouched,
        }
    }
}
