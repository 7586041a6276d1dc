//! A probe of a host: what it asks, from where, and what it must prove.
use super::Expected;
use crate::{
    failure::{Cause, Failure},
    fleet::{Fleet, Health},
    host::Host,
};
use serde::Serialize;
use std::sync::Arc;

/// Requires good responses in a row over a period of time, each with proof of the release if proof is possible.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    pub host: Host,
    #[serde(rename = "commit", serialize_with = "Expected::by_id")]
    pub expected: Expected,
    pub health: Health,
    /// The host with the connection that the probe goes through: a balancer's machine, otherwise the host itself.
    pub through: Host,
    /// The app's folder.
    pub path: String,
    /// Whether an answer is good even if its text can't name a release.
    #[serde(skip)]
    pub nameless: bool,
    #[serde(skip)]
    pub(super) fleet: Arc<Fleet>,
}

/// Returns whether a host is probed: it gets the app, the fleet file has a health check, and the host is in a pool if
/// the fleet has pools.
pub fn probed(fleet: &Fleet, host: &Host) -> bool {
    let known = fleet.app.as_ref().is_some_and(|app| app.health.is_some() && app.is_on(host));
    known
        && (fleet.balancers.is_empty()
            || !crate::balancer::places(fleet, host).is_empty()
            || !fleet.unasked(host).is_empty())
}

impl Probe {
    /// Builds the probe from the fleet file.
    ///
    /// Fails with `Fabfile` if the file has none.
    pub fn of(fleet: &Arc<Fleet>, host: &Host, expected: Expected) -> Result<Probe, Failure> {
        let app = fleet.app.as_ref();
        let none = || {
            let message = format!("fleet `{}` doesn't say how to check what a host serves", fleet.name);
            Failure::new(Cause::Fabfile, message).help("add `[app.health]` with `url` to the fleet file")
        };
        let health = app.and_then(|app| app.health.clone());
        let health = health.ok_or_else(|| fleet.unchosen().unwrap_or_else(none))?;
        // A balancer that is changed by hand and has no machine keeps its state on a host of the fleet.
        let apart = |b: &&crate::fleet::Balancer| !b.by_hand() || fleet.host(&b.host.name).is_none();
        let through = fleet.balancers.iter().filter(|b| b.has(host)).find(apart).map_or(host, |b| &b.host).clone();
        let path = app.map(|a| a.path_on(host)).unwrap_or_default();
        Ok(Probe { host: host.clone(), expected, health, through, path, nameless: false, fleet: fleet.clone() })
    }

    /// Sets whether an answer is good even if its text can't name a release.
    pub fn taking(self, nameless: bool) -> Probe {
        Probe { nameless, ..self }
    }

    /// Builds the failure of a name that doesn't resolve on the machine that the probe goes out from.
    pub(super) fn unresolved(&self, name: &str) -> Failure {
        let (host, through) = (&self.host, &self.through);
        let message = format!("`{name}` doesn't resolve on `{through}`, which probes it at {}", self.url());
        let address = match host.address {
            Some(_) => "correct `address`",
            None => "add `address`",
        };
        let help = format!(
            "{address} of `{host}` in the fleet file: an IP address, or a name that `{through}` knows. A name that only your \
             ssh configuration has doesn't work there"
        );
        Failure::new(Cause::Fabfile, message).on(&host.name).help(help)
    }

    /// Returns the URL to probe.
    pub(super) fn url(&self) -> String {
        self.health.url_of(&self.host)
    }
}
