//! Servers of the model's pools, and the state folders of a fleet.
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
    /// The number of requests that were open when it was drained.
    pub open: Fact<u64>,
    pub weight: u32,
    pub configured: u32,
    /// Whether it gets requests only if no other server can.
    pub backup: bool,
    /// Whether clients that are bound to it reach it while it's drained.
    pub persistent: bool,
    /// Whether somebody took it out without rfab.
    pub strange: bool,
    /// The result of the balancer's check, if the model doesn't have the host.
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

    /// Returns the number of open requests at a time. After a drain, it halves each second.
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

/// The contents of a fleet's state folders.
#[derive(Clone, Debug, Default)]
pub struct StateFolder {
    pub held_by: Option<Holder>,
    /// The text that names the project that owns them.
    pub project: Option<String>,
    /// By balancer, or by the host that stands in for one.
    pub ledgers: BTreeMap<Name, Vec<String>>,
    /// By ledger: how many lines a reader has read, and its result.
    read: BTreeMap<Name, (usize, Arc<dyn Any + Send + Sync>)>,
}

impl StateFolder {
    /// Makes readers start again, because something else may have changed the ledgers.
    pub fn read_anew(&mut self) {
        self.read.clear();
    }

    /// Returns a reader's result for a ledger. The reader gets the lines since its last call, and its last result.
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
