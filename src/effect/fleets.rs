//! The fleets of a run.
use crate::{
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Name,
};
use std::sync::Arc;

/// The fleets that a run has loaded, by name.
#[derive(Default)]
pub struct Fleets(std::sync::RwLock<std::collections::BTreeMap<Name, Arc<Fleet>>>);

impl Fleets {
    /// Returns the known fleet of this name, which must be the same.
    ///
    /// `Fabfile` if it isn't.
    pub fn known(&self, fleet: &Fleet) -> Result<Option<Arc<Fleet>>, Failure> {
        match self.0.read().unwrap().get(&fleet.name) {
            Some(known) if **known != *fleet => {
                let message = format!("two fleets are named `{}`", fleet.name);
                Err(Failure::new(Cause::Fabfile, message).help("give one of them another file name or `name`"))
            }
            known => Ok(known.cloned()),
        }
    }

    /// Keeps a fleet, unless its name is known already.
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
