//! Checks what must hold before a host is put back.
use super::{InnerLayers, Observed, observed::UNPROVEN};
use crate::{
    balancer::{Balance, SetAdmin, WaitUp, unhealthy},
    effect::Call,
    failure::Failure,
    health::{Probe, ProbeOnce, ReadExpected, probed},
    host::Host,
};
use std::time::Duration;

/// How long a balancer may take until it sees what rfab's probe saw.
const WITHIN: Duration = Duration::from_secs(60);

/// Requires successful checks by the balancer and by rfab that began after the host's last change.
///
/// `nameless` accepts an answer that names no release.
pub(super) fn healthy(
    set: &SetAdmin,
    balance: &Balance,
    observed: &Observed,
    nameless: bool,
    call: Call<'_>,
    rest: InnerLayers<'_>,
) -> Result<(), Failure> {
    for host in &set.hosts {
        let servers = balance.servers(&set.fleet, host)?;
        // A server in maintenance isn't checked; it is drained first, and then waited for.
        let mut checked = servers.iter().filter(|s| s.admin != crate::effect::Admin::Maint);
        let down = checked.find(|s| s.health != crate::port::Checked::Up);
        let proven = observed.host(host).proven;
        let probe = if !proven && probed(&set.fleet, host) {
            Some(probe(set, host, call, rest)?.taking(nameless))
        } else {
            None
        };
        if let Some(server) = down {
            let answers = match &probe {
                Some(probe) => rest.ask(&call).read(ProbeOnce(probe.clone()))?,
                None => proven,
            };
            if !answers {
                return Err(unhealthy(host, &server.raw));
            }
        }
        if let Some(probe) = probe {
            let proof = rest.ask(&call).read(probe.clone())?;
            observed.proven(&probe);
            if !proof.version_proven {
                observed.remark(host, UNPROVEN);
            }
        }
        if down.is_some() {
            // rfab's probe found it healthy: the balancer, which checks less often, will see that soon.
            let health = set.fleet.app.as_ref().and_then(|app| app.health.as_ref());
            let within = health.map_or(WITHIN, |h| h.within).as_millis() as u64;
            rest.ask(&call).read(WaitUp { fleet: set.fleet.clone(), host: host.clone(), within })?;
        }
    }
    Ok(())
}

/// Makes the probe for what a host should serve.
fn probe(set: &SetAdmin, host: &Host, call: Call<'_>, rest: InnerLayers<'_>) -> Result<Probe, Failure> {
    let expected = rest.ask(&call).read(ReadExpected { fleet: set.fleet.clone(), host: host.clone() })?;
    Probe::of(&set.fleet, host, expected)
}
