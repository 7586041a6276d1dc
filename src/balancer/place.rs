//! The places of a host behind its balancers.
use crate::{effect::LedgerWrite, fleet::Fleet, host::Host, port::ServerPlace};

/// Returns every place of a host, in the order of balancers and pools; none for a host in no pool.
pub fn places(fleet: &Fleet, host: &Host) -> Vec<ServerPlace> {
    let mut places = Vec::new();
    for balancer in &fleet.balancers {
        for pool in balancer.pools_of(host) {
            for server in balancer.servers_of(pool, host) {
                places.push(ServerPlace { balancer: balancer.name.clone(), pool: pool.clone(), server });
            }
        }
    }
    places
}

/// Returns the places of a host that change: all, unless the ledger line names some.
pub(super) fn moved(writes: &[LedgerWrite], fleet: &Fleet, host: &Host) -> Vec<ServerPlace> {
    let only = writes.iter().find(|write| write.host == host.name).and_then(|write| write.places.as_ref());
    let changes = |place: &ServerPlace| only.is_none_or(|only| only.contains(&place.to_string()));
    places(fleet, host).into_iter().filter(changes).collect()
}
