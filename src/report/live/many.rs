//! Many hosts with the same work: how many wait, are at work, and are done.
use crate::{event::EventKind, host::Name};
use std::collections::BTreeMap;

/// Work on many hosts that is in progress.
pub(super) struct ManyHosts {
    /// The lane that forked.
    lane: Name,
    hosts: BTreeMap<Name, How>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Waits,
    AtWork,
    Done,
    Failed,
}

impl ManyHosts {
    pub(super) fn new(lane: &Name, hosts: &[Name]) -> Self {
        Self { lane: lane.clone(), hosts: hosts.iter().map(|host| (host.clone(), How::Waits)).collect() }
    }

    /// Takes in an event of a lane.
    pub(super) fn take(&mut self, lane: &Name, what: &EventKind) {
        let how = match what {
            EventKind::EffectStarted { .. } | EventKind::StepStarted { .. } => How::AtWork,
            EventKind::HostFinished { failure: None, .. } => How::Done,
            EventKind::HostFinished { .. } => How::Failed,
            _ => return,
        };
        let own = lane.strip_prefix(&*self.lane).map(|rest| rest.trim_start_matches('/').split('/'));
        let Some((_, host)) = own.and_then(|mut parts| parts.next()?.split_once('.')) else { return };
        if matches!(what, EventKind::HostFinished { host: ended, .. } if **ended != *host) {
            return;
        }
        if let Some(known) = self.hosts.get_mut(host).filter(|known| matches!(known, How::Waits | How::AtWork)) {
            *known = how;
        }
    }

    /// Returns whether all hosts are done.
    pub(super) fn is_over(&self) -> bool {
        self.hosts.values().all(|how| matches!(how, How::Done | How::Failed))
    }

    pub(super) fn done(&self) -> usize {
        self.number(How::Done)
    }

    pub(super) fn waiting(&self) -> usize {
        self.number(How::Waits)
    }

    /// Returns the hosts that have begun and aren't done.
    pub(super) fn at_work(&self) -> impl Iterator<Item = &Name> {
        self.hosts.iter().filter(|(_, how)| **how == How::AtWork).map(|(host, _)| host)
    }

    fn number(&self, wanted: How) -> usize {
        self.hosts.values().filter(|how| **how == wanted).count()
    }
}
