//! Hosts chosen for the next tasks.
use crate::{fleet::Fleet, host::Host};
use std::sync::Arc;

/// Hosts of one fleet, in its order, and how they were chosen.
#[derive(Clone, Debug)]
pub struct Targets {
    pub fleet: Arc<Fleet>,
    pub hosts: Arc<Vec<Host>>,
    pub selection: String,
}

impl Targets {
    pub fn with(&self, hosts: Vec<Host>, selection: &str) -> Targets {
        Targets { fleet: self.fleet.clone(), hosts: hosts.into(), selection: selection.to_owned() }
    }
}
