//! What effects are carried out with in the real world.
use super::{Balancing, Kept, Person, SharedReading, Transport};
use crate::{failure::Failure, fleet::Fleet, host::Name};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// One fleet's parts.
pub struct FleetConnections {
    pub fleet: Arc<Fleet>,
    pub transport: Arc<dyn Transport>,
    pub balancing: Arc<dyn Balancing>,
    /// What its balancers said last.
    pub balance: SharedReading,
}

/// What effects are carried out with.
pub struct Real {
    pub person: Arc<dyn Person>,
    /// A folder of rfab's own here, for packed trees and mirrors.
    pub cache: PathBuf,
    /// Whether repositories are fetched from before a name is resolved.
    pub fetch: bool,
    /// Tells what runs here to end, whatever it is about.
    pub stops: tokio::sync::Notify,
    /// What domains keep for this run.
    pub kept: Kept,
    build: Build,
    sites: Mutex<BTreeMap<Name, Arc<FleetConnections>>>,
}

type Build = Box<dyn Fn(&Arc<Fleet>) -> Result<FleetConnections, Failure> + Send + Sync>;

impl Real {
    pub fn new(person: Arc<dyn Person>, cache: PathBuf, fetch: bool, build: Build) -> Self {
        let stops = tokio::sync::Notify::new();
        Self { person, cache, fetch, stops, kept: Kept::default(), build, sites: Mutex::default() }
    }

    /// The parts of a fleet that was admitted.
    pub fn site(&self, fleet: &Name) -> Arc<FleetConnections> {
        self.sites.lock().unwrap().get(fleet).expect("hosts come from fleets that were admitted").clone()
    }

    /// Builds the parts of a fleet, unless they were built before.
    pub fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure> {
        let mut sites = self.sites.lock().unwrap();
        if !sites.contains_key(&fleet.name) {
            sites.insert(fleet.name.clone(), Arc::new((self.build)(fleet)?));
        }
        Ok(())
    }

    pub fn sites(&self) -> Vec<Arc<FleetConnections>> {
        self.sites.lock().unwrap().values().cloned().collect()
    }
}
