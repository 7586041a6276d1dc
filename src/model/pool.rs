//! Servers of the model's pools, and what is written down for a fleet.
use super::{Fact, Predicted, Time};
use crate::{
    host::Name,
    port::{Admin, Holder},
};
use std::{any::Any, collections::BTreeMap, sync::Arc};

/// A host in one pool.
#[derive(Clone, Debug)]
pub struct PoolServer {
    pub admin: Fact<Admin>,
    pub since: Time,
    /// Requests open when it was drained.
    pub open: Fact<u64>,
    pub weight: u32,
    pub configured: u32,
    /// Whether it gets requests only while no other server can.
    pub backup: bool,
    /// Whether clients that are bound to it reach it while it is drained.
    pub persistent: bool,
    /// Whether somebody past rfab took it out.
    pub strange: bool,
    /// What the balancer's check said, where the model has no host to ask.
    pub up: Fact<bool>,
}

impl PoolServer {
    pub fn ready() -> Self {
        Self {
            admin: Fact::Told(Admin::Ready),
            since: 0,
            open: Fact::Told(40),
            weight: 100,
            configured: 100,
            backup: false,
            persistent: false,
            strange: false,
            up: Fact::Untold,
        }
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

/// What a fleet's state folders say.
#[derive(Clone, Debug, Default)]
pub struct StateFolder {
    pub held_by: Option<Holder>,
    /// What says whose it is, as it is written there.
    pub project: Option<String>,
    /// By balancer, else by the host that stands for it.
    pub ledgers: BTreeMap<Name, Vec<String>>,
    /// What readers made of how many lines of each.
    read: BTreeMap<Name, (usize, Arc<dyn Any + Send + Sync>)>,
}

impl StateFolder {
    /// Has everything read again, for it may be changed past its readers.
    pub fn read_anew(&mut self) {
        self.read.clear();
    }

    /// What a reader makes of a ledger: of the lines that came since it was read last, and of what it made of those before.
    pub fn read<T: Send + Sync + 'static>(
        &mut self,
        place: &Name,
        reader: impl FnOnce(&[String], Option<Arc<T>>) -> Arc<T>,
    ) -> Arc<T> {
        let lines = self.ledgers.get(place).map(Vec::as_slice).unwrap_or_default();
        let before = self.read.remove(place).filter(|(known, _)| *known <= lines.len());
        let before = before.and_then(|(known, so_far)| Some((known, so_far.downcast::<T>().ok()?)));
        let (known, so_far) = before.map_or((0, None), |(known, so_far)| (known, Some(so_far)));
        let made = reader(&lines[known..], so_far);
        self.read.insert(place.clone(), (lines.len(), made.clone()));
        made
    }
}
