//! Where a host stands behind its balancers.
use crate::{fleet::Fleet, host::Host, port::Place};

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
