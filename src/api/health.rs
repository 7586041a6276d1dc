//! Whether hosts serve what they should.
use super::{HostValue, git::CommitValue};
use crate::{
    failure::{Failure, Reason},
    health::{Expected, Glance, Probe, ReadExpected, probed},
    script::{RhaiResultOf, Targets, here, thrown},
};
use rhai::{NativeCallContext, plugin::*};

#[export_module(manifest)]
pub mod health {
    /// Probes until the host has served the commit as the fleet file wants it; true if the served version was proven.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let release = release::number(release::resolve("stable"));
    /// balancer::drain(targets().group("group1"), "deploy");
    /// balancer::wait_drained(host);
    /// release::stage(host, release);
    /// release::activate(host, release);
    /// service::restart(host);
    /// health::probe(host, release.commit);
    /// ```
    #[rhai_fn(name = "probe", return_raw)]
    pub fn probe(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
        let expected = Expected::of(commit.commit, commit.names);
        Ok(here.perform(Probe::of(&fleet, &host, expected).map_err(thrown)?)?.version_proven)
    }

    /// The same for a version that is no commit's, such as a package's: a service may say it without the package's own `-1`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// try { health::probe(host, "3.0.1-1"); } catch (failure) { ui::note(host, failure.message); }
    /// ```
    #[rhai_fn(name = "probe", return_raw)]
    pub fn probe_version(ctx: NativeCallContext, host: HostValue, version: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
        let expected = Expected::of(version.into(), Vec::new());
        Ok(here.perform(Probe::of(&fleet, &host, expected).map_err(thrown)?)?.version_proven)
    }

    /// Whether the host answers well at this moment, and with this version as far as that can be proven.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if health::serves(host, "3.0.1-1") { ui::note("it does"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub fn serves_version(ctx: NativeCallContext, host: HostValue, version: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
        let expected = Expected::of(version.into(), Vec::new());
        here.perform(Glance(Probe::of(&fleet, &host, expected).map_err(thrown)?))
    }

    /// Whether the host answers well at this moment, and with this commit as far as that can be proven.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if health::serves(host, git::resolve("stable")) { ui::note("it does"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub fn serves(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
        let expected = Expected::of(commit.commit, commit.names);
        here.perform(Glance(Probe::of(&fleet, &host, expected).map_err(thrown)?))
    }

    /// Whether the host answers well at this moment, and with what it should serve: its package, or its current release. What
    /// another tool deployed proves nothing, so that healthy is enough.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !health::serves(host) { ui::warn("it does not serve what it should"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub fn serves_what_it_should(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?;
        let (fleet, host) = (here.fleet_of(&host.0.host), host.0.host);
        let expected = here.perform(ReadExpected { fleet: fleet.clone(), host: host.clone() })?;
        here.perform(Glance(Probe::of(&fleet, &host, expected).map_err(thrown)?))
    }

    /// Whether the host is probed: its fleet says how, and it stands in a pool if any host does.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !health::known(host) { ui::warn("nothing proves that it serves"); }
    /// ```
    #[rhai_fn(name = "known", return_raw)]
    pub fn known(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        Ok(probed(&here(&ctx)?.fleet_of(&host.0.host), &host.0.host))
    }

    /// Refuses a fleet that says neither how a host is probed nor which units it has: nothing would prove a deploy.
    ///
    /// # Example
    ///
    /// ```rhai
    /// health::want_proof(targets());
    /// ```
    #[rhai_fn(name = "want_proof", return_raw)]
    pub fn want_proof(targets: Targets) -> RhaiResultOf<()> {
        let fleet = &targets.fleet;
        let Some(app) = fleet.app.as_ref().filter(|app| app.service.is_none()) else { return Ok(()) };
        let Some(silent) = targets.hosts.iter().find(|host| !probed(fleet, host)) else { return Ok(()) };
        let which = match app.health {
            None => format!("a host of `{}`", fleet.name),
            Some(_) => format!("`{silent}`, which is in no pool,"),
        };
        let message = format!("nothing can prove what {which} serves, so nothing is switched");
        let help = "write into the fleet file how its hosts are probed: `[app.health]` with `url = \"http://{address}:8080/health\"`, \
                    or which units run there: `[app.service]` with `units = { web = [\"shop\"] }`";
        Err(thrown(Failure::new(Reason::Fabfile, message).help(help)))
    }
}
