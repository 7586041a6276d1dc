//! Servers of the model's pools, and what is written down for a fleet.
use super::{Commit, Fact, Predicted, Time};
use crate::effect::Admin;
use std::collections::BTreeMap;

/// A host in one pool.
#[derive(Clone, Debug)]
pub struct PoolServer {
    pub admin: Fact<Admin>,
    pub since: Time,
    /// Requests open when it was drained.
    pub open: Fact<u64>,
    pub weight: u32,
    /// What the balancer's check said, where the model has no host to ask.
    pub up: Fact<bool>,
}

impl PoolServer {
    pub fn ready() -> Self {
        Self { admin: Fact::Told(Admin::Ready), since: 0, open: Fact::Told(40), weight: 100, up: Fact::Untold }
    }

    /// Open requests at a time: halved each second once it is drained.
    pub fn open(&self, now: Time) -> Predicted<u64> {
        let open = *self.open.get("its open requests")?;
        Ok(match self.admin.get("its state")? {
            Admin::Ready => open,
            Admin::Drain | Admin::Maint => {
                open.checked_shr((now.saturating_sub(self.since) / 1_000) as u32).unwrap_or(0)
            }
        })
    }
}

/// What a fleet's state folder says.
#[derive(Clone, Debug, Default)]
pub struct StateFolder {
    pub held_by: Option<String>,
    /// Commits and the numbers they were given.
    pub releases: BTreeMap<Commit, u32>,
    /// Migrations: `None` is begun, `Some` ended with this status.
    pub marks: BTreeMap<String, Option<bool>>,
    pub ledger: Vec<String>,
}
