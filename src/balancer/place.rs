//! Where a host stands behind its balancers.
use crate::{
    fleet::Fleet,
    host::{Host, Name},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A host as a server of one pool of one balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub balancer: Name,
    pub pool: Name,
    pub server: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.balancer, self.pool)
    }
}

/// Every place of a host, in the order of balancers and pools; none for a host in no pool.
pub fn places(fleet: &Fleet, host: &Host) -> Vec<Place> {
    let mut places = Vec::new();
    for balancer in &fleet.balancers {
        for pool in balancer.pools_of(host) {
            for server in balancer.servers_of(pool, host) {
                places.push(Place { balancer: balancer.name.clone(), pool: pool.clone(), server });
            }
        }
    }
    places
}
