//! What effects use to reach the real world.
use super::{Coordinator, Kept, Person, SharedReading, SharedReadings, Transport};
use crate::{failure::Failure, fleet::Fleet, host::Name};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// The connections of one fleet.
pub struct FleetConnections {
    pub fleet: Arc<Fleet>,
    pub transport: Arc<dyn Transport>,
    pub coordinator: Arc<dyn Coordinator>,
    /// The last reading of its balancers.
    pub balance: SharedReading,
    /// The last readings of each host's releases.
    pub releases: SharedReadings,
}

impl FleetConnections {
    /// Makes them for a fleet that nothing was read of yet.
    pub fn new(fleet: Arc<Fleet>, transport: Arc<dyn Transport>, coordinator: Arc<dyn Coordinator>) -> Self {
        Self { fleet, transport, coordinator, balance: Default::default(), releases: Default::default() }
    }
}

/// What effects use to reach the real world.
pub struct Real {
    pub person: Arc<dyn Person>,
    /// A folder of rfab on this machine, for packed trees and mirrors.
    pub cache: PathBuf,
    /// Whether to fetch from repositories before a name is resolved.
    pub fetch: bool,
    /// Tells processes on this machine to end, no matter what they're for.
    pub stops: tokio::sync::Notify,
    /// The values that domains keep during this run.
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

    /// Returns the connections of a fleet that was admitted.
    pub fn site(&self, fleet: &Name) -> Arc<FleetConnections> {
        self.sites.lock().unwrap().get(fleet).expect("hosts come from fleets that were admitted").clone()
    }

    /// Builds the connections of a fleet, unless they exist already.
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
