//! The state before a run, read from its journal.
use crate::{
    balancer::{Balance, ReadBalance, SetAdmin},
    effect::{Admin, Effect, EffectKind, Id},
    event::PoolState,
    failure::Reason,
    fleet::Fleet,
    host::{Host, Name},
    model::{Release, key},
    release::{Activate, Listing, ReadReleases},
    store::Record,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};

/// The state of a host before a run, and what the run did to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostBefore {
    /// The release that it served; none if it served nothing, or if the run didn't look.
    pub release: Option<Release>,
    pub live: bool,
    /// Whether the run began to make another release current.
    pub switched: bool,
    /// Whether the run took it out or put it back.
    pub moved: bool,
    looked_at: bool,
    stood: bool,
}

/// A command or change with an unknown end.
pub struct InFlight {
    pub lane: Name,
    pub number: u32,
    pub attempt: u32,
    pub host: Host,
    pub text: String,
}

impl InFlight {
    pub fn id(&self) -> Id<'_> {
        Id { lane: &self.lane, number: self.number, attempt: self.attempt }
    }
}

/// The fleets of a run, the hosts that it changed, and what it left in flight.
#[derive(Default)]
pub struct Before {
    pub fleets: BTreeMap<Name, Arc<Fleet>>,
    was: BTreeMap<(Name, Name), HostBefore>,
    pub in_flight: Vec<InFlight>,
}

impl Before {
    pub fn of(records: &[Record]) -> Before {
        let mut before = Before::default();
        let mut open: BTreeMap<(&Name, u32), &Record> = BTreeMap::new();
        for record in records {
            match record {
                Record::Fleet(fleet) => {
                    before.fleets.entry(fleet.name.clone()).or_insert_with(|| Arc::new((**fleet).clone()));
                }
                Record::Effect { lane, number, name, recorded, .. } => {
                    open.insert((lane, *number), record);
                    before.begins(name, recorded);
                }
                Record::Answered { lane, number, outcome, .. } => {
                    if let Some(Record::Effect { name, recorded, .. }) = open.remove(&(lane, *number)) {
                        before.answered(name, recorded, outcome);
                    }
                }
                Record::Failed { failure, .. } if failure.reason() == Reason::Unknown => {}
                Record::Failed { lane, number, .. } => drop(open.remove(&(lane, *number))),
                Record::Begun(_)
                | Record::Resumed(_)
                | Record::LaneEnded { .. }
                | Record::Left { .. }
                | Record::Stale { .. }
                | Record::Step { .. }
                | Record::Aborted { .. }
                | Record::Ended(_) => {}
            }
        }
        before.in_flight = open.into_values().filter_map(in_flight).collect();
        before
    }

    /// Returns the hosts of a fleet that the run changed, in the fleet's order.
    pub fn changed(&self, fleet: &Fleet) -> Vec<(Host, HostBefore)> {
        let was = |host: &Host| self.was.get(&key(host)).filter(|was| was.switched || was.moved).cloned();
        fleet.hosts.iter().filter_map(|host| Some((host.clone(), was(host)?))).collect()
    }

    fn note(&mut self, host: &Host, f: impl FnOnce(&mut HostBefore)) {
        f(self.was.entry(key(host)).or_default());
    }

    fn begins(&mut self, name: &str, recorded: &RawValue) {
        if name == Activate::NAME
            && let Some(host) = part::<Host>(recorded, "host")
        {
            self.note(&host, |was| was.switched = true);
        }
        if name == SetAdmin::NAME
            && let Some(hosts) = part::<Vec<Host>>(recorded, "hosts")
            && let Some(to) = part::<Admin>(recorded, "to")
        {
            for host in &hosts {
                self.note(host, |was| {
                    // If the run didn't look first: a host to take out was live, and a host to put back was out.
                    was.live = if was.stood { was.live } else { to != Admin::Ready };
                    (was.stood, was.moved) = (true, true);
                });
            }
        }
    }

    fn answered(&mut self, name: &str, recorded: &RawValue, outcome: &RawValue) {
        if name == ReadReleases::NAME
            && let Some(host) = part::<Host>(recorded, "host")
            && let Ok(listing) = serde_json::from_str::<Listing>(outcome.get())
        {
            self.note(&host, |was| {
                if !was.looked_at && !was.switched {
                    (was.release, was.looked_at) = (listing.current, true);
                }
            });
        }
        if name == ReadBalance::NAME
            && let Some(fleet) = part::<Name>(recorded, "fleet").and_then(|name| self.fleets.get(&name).cloned())
            && let Ok(balance) = serde_json::from_str::<Balance>(outcome.get())
        {
            for host in &fleet.hosts {
                let Ok(standing) = balance.standing(&fleet, host) else { continue };
                self.note(host, |was| {
                    if !was.stood {
                        (was.live, was.stood) = (matches!(standing, PoolState::Live | PoolState::Mixed), true);
                    }
                });
            }
        }
    }
}

fn part<T: DeserializeOwned>(recorded: &RawValue, key: &str) -> Option<T> {
    let mut whole: Value = serde_json::from_str(recorded.get()).ok()?;
    serde_json::from_value(whole.get_mut(key)?.take()).ok()
}

fn in_flight(record: &Record) -> Option<InFlight> {
    let Record::Effect { lane, number, attempt, kind: EffectKind::Change | EffectKind::Once, text, recorded, .. } =
        record
    else {
        return None;
    };
    // A command has its host inside `on`.
    let on =
        || part::<Value>(recorded, "on").and_then(|mut on| serde_json::from_value(on.get_mut("host")?.take()).ok());
    let host = part::<Host>(recorded, "host").or_else(on)?;
    Some(InFlight { lane: lane.clone(), number: *number, attempt: *attempt, host, text: text.clone() })
}
