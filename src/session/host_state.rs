//! What a run knows about one host.
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

/// What a run knows about one host.
#[derive(Clone, Debug, Default)]
pub struct HostState {
    /// The current release when the run first looked; `Some(None)` means that there was none.
    pub old: Option<Option<Release>>,
    pub new: Option<Option<Release>>,
    /// Whether this run drained it and didn't put it back.
    pub drained: bool,
    /// Which servers the next drain or ready of the host changes.
    pub moves: Moves,
    /// When this run put it back, unless it was taken out with rfab since.
    pub back: Option<Time>,
    /// How long after it was put back it was seen to serve, in milliseconds.
    pub looked: Option<Time>,
    /// The failure that a balancer forgot that the host was out, and may have sent it requests.
    pub exposed: Option<Failure>,
    /// Whether it was seen down after this run put it back.
    pub died: bool,
    /// The last probe that succeeded.
    pub probe: Option<Probe>,
    /// The balancers' epochs when it was first seen out.
    pub out_since: Option<BTreeMap<Name, String>>,
    /// Where its servers went from drain into maintenance, so that nobody can reach it.
    pub shut: Vec<balancer::ServerPlace>,
    /// Whether a probe succeeded after the last change.
    pub proven: bool,
    pub changed: bool,
    /// Whether the end of a change is unknown.
    pub doubtful: bool,
    pub unchanged: bool,
    /// Whether a person's command read from it successfully.
    pub answered: bool,
    /// Whether anything was read from it.
    pub seen: bool,
    pub failure: Option<Failure>,
    /// What was on it when the run last looked.
    pub listing: Option<Listing>,
    pub note: Option<String>,
    /// Why the connection before the first step failed.
    pub unreachable: Option<Failure>,
    /// Whether somebody else took it out, so that only a run that names it looks at it.
    pub left_alone: bool,
}

/// Which of a host's servers a drain or a ready changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Moves {
    #[default]
    All,
    /// The servers at these places, as `BALANCER/POOL`: the others were out before.
    Only(Vec<String>),
    /// None: somebody else took the host out, and it stays out.
    Nothing,
}

impl HostState {
    /// Returns the result of the run on this host.
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
