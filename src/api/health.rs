//! Primitives that check whether hosts are healthy and serve the right version.
use super::{HostValue, git::CommitValue};
use crate::{
    event::EventKind,
    failure::{Cause, Failure},
    fleet::Version,
    health::{Expected, Inspect, InspectedHost, Probe, ProbeOnce, ReadExpected, Tried, TryProbe, probed},
    script::{Here, RhaiResultOf, Targets, here, thrown},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

/// Returns the probe of a host. This run's flags say which answers it accepts.
fn probe_of(here: &Here, host: HostValue, expected: Expected) -> RhaiResultOf<Probe> {
    let host = host.0.host;
    let probe = Probe::of(&here.fleet_of(&host), &host, expected).map_err(thrown)?;
    Ok(probe.taking(here.session.run.allowed.unproven))
}

fn seen(here: &Here, host: HostValue, expected: Expected) -> RhaiResultOf<Map> {
    let InspectedHost { right, said } = here.perform(Inspect(probe_of(here, host, expected)?))?;
    Ok([("right".into(), right.into()), ("said".into(), said.into())].into())
}

fn tried(here: &Here, host: HostValue, expected: Expected) -> RhaiResultOf<Dynamic> {
    Ok(Dynamic::from(here.perform(TryProbe(probe_of(here, host, expected)?))?))
}

/// Lists what hosts answer that don't report a release: one line for all that answer alike.
fn nameless(hosts: &[crate::host::Host], tried: &[Tried]) -> Vec<String> {
    let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
    for (host, tried) in hosts.iter().zip(tried) {
        let Tried::Nameless(words) = tried else { continue };
        match alike.iter_mut().find(|(others, _)| others == words) {
            Some((_, names)) => names.push(&host.name),
            None => alike.push((words, vec![&host.name])),
        }
    }
    alike.into_iter().map(|(words, names)| format!("{}: {words}", names.join(", "))).collect()
}

#[export_module(manifest)]
pub mod health {
    /// Probes the host until it has proven that it serves the commit, as `[app.health]` in the fleet file requires.
    ///
    /// It returns `true` if the responses proved the version, and `false` if they only proved that the host is healthy.
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
    pub(crate) fn probe(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        Ok(here.perform(probe_of(&here, host, Expected::of(commit.commit, commit.names))?)?.version_proven)
    }

    /// Probes the host until it has proven that it serves a version that isn't a commit, such as a package's.
    ///
    /// A service can report the version without the package's revision, such as `-1`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// try { health::probe(host, "3.0.1-1"); } catch (failure) { ui::note(host, failure.message); }
    /// ```
    #[rhai_fn(name = "probe", return_raw)]
    pub(crate) fn probe_version(ctx: NativeCallContext, host: HostValue, version: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        Ok(here.perform(probe_of(&here, host, Expected::of(version.into(), Vec::new()))?)?.version_proven)
    }

    /// Returns whether the host is healthy right now and serves this version, as far as rfab can prove that.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if health::serves(host, "3.0.1-1") { ui::note("it does"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub(crate) fn serves_version(ctx: NativeCallContext, host: HostValue, version: &str) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        here.perform(ProbeOnce(probe_of(&here, host, Expected::of(version.into(), Vec::new()))?))
    }

    /// Returns whether the host is healthy right now and serves this commit, as far as rfab can prove that.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if health::serves(host, git::resolve("stable")) { ui::note("it does"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub(crate) fn serves(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        here.perform(ProbeOnce(probe_of(&here, host, Expected::of(commit.commit, commit.names))?))
    }

    /// Returns whether the host is healthy right now and serves its package or its current release.
    ///
    /// rfab can't prove a release that another tool deployed. For such a release, a healthy response is enough.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !health::serves(host) { ui::warn("it does not serve what it should"); }
    /// ```
    #[rhai_fn(name = "serves", return_raw)]
    pub(crate) fn serves_what_it_should(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let expected = here.perform(ReadExpected { fleet, host: host.0.host.clone() })?;
        here.perform(ProbeOnce(probe_of(&here, host, expected)?))
    }

    /// Probes the host once, and compares its response with a commit.
    ///
    /// The result is a map. `right` is what `serves` returns, and `said` is the response in words.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let now = health::answer(host, git::resolve("stable"));
    /// if !now.right { ui::note(host, now.said); }
    /// ```
    #[rhai_fn(name = "answer", return_raw)]
    pub(crate) fn answer(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<Map> {
        seen(&*here(&ctx)?, host, Expected::of(commit.commit, commit.names))
    }

    /// Probes the host once, and compares its response with its package or its current release.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(host, health::answer(host).said);
    /// ```
    #[rhai_fn(name = "answer", return_raw)]
    pub(crate) fn answer_alone(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let expected = here.perform(ReadExpected { fleet, host: host.0.host.clone() })?;
        seen(&here, host, expected)
    }

    /// Probes the host once before you deploy a commit, from the same machine as `health::probe` does later.
    ///
    /// Pass the result to `health::want_names`.
    ///
    /// It fails if it finds a problem that no release can fix: the name in the URL doesn't resolve on that machine, or
    /// the certificate isn't trusted. It doesn't fail if the service is down or broken.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let answers = targets().role("web").parallel(|host| health::try_probe(host, git::resolve("stable")));
    /// ```
    #[rhai_fn(name = "try_probe", return_raw)]
    pub(crate) fn try_probe(ctx: NativeCallContext, host: HostValue, commit: CommitValue) -> RhaiResultOf<Dynamic> {
        tried(&*here(&ctx)?, host, Expected::of(commit.commit, commit.names))
    }

    /// Probes the host once before you install a version that isn't a commit, such as a package's.
    ///
    /// # Example
    ///
    /// ```rhai
    /// health::try_probe(host, "3.0.1-1");
    /// ```
    #[rhai_fn(name = "try_probe", return_raw)]
    pub(crate) fn try_probe_for_version(
        ctx: NativeCallContext,
        host: HostValue,
        version: &str,
    ) -> RhaiResultOf<Dynamic> {
        tried(&*here(&ctx)?, host, Expected::of(version.into(), Vec::new()))
    }

    /// Probes the host once before you restart it, or put it back with the release that it has.
    ///
    /// # Example
    ///
    /// ```rhai
    /// health::try_probe(host);
    /// ```
    #[rhai_fn(name = "try_probe", return_raw)]
    pub(crate) fn try_probe_alone(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Dynamic> {
        tried(&*here(&ctx)?, host, Expected::default())
    }

    /// Fails if hosts are healthy, but none of their responses to `health::try_probe` can prove a release.
    ///
    /// If at least one response can, it only warns about the others. With `--unproven`, it always only warns.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let hosts = targets().role("web");
    /// health::want_names(hosts, hosts.parallel(|host| health::try_probe(host)));
    /// ```
    #[rhai_fn(name = "want_names", return_raw)]
    pub(crate) fn want_names(ctx: NativeCallContext, hosts: Targets, answers: Array) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let answers: Vec<Tried> = answers.into_iter().filter_map(Dynamic::try_cast::<Tried>).collect();
        let nameless = nameless(&hosts.hosts, &answers);
        if nameless.is_empty() {
            return Ok(());
        }
        if here.session.run.allowed.unproven || answers.contains(&Tried::Fits) {
            for text in nameless {
                here.lane.tell(EventKind::Warned {
                    host: None,
                    text: format!("a host's response doesn't prove a release yet: {text}"),
                });
            }
            return Ok(());
        }
        let message = format!("no host's response could prove a release yet: {}", nameless.join("; "));
        let health = hosts.fleet.app.as_ref().and_then(|app| app.health.as_ref());
        let way = match health.map(|health| &health.version) {
            Some(Version::Process) => {
                "only root and the process's own user can see where it runs. Set `user` in the fleet file to the \
                 user of the service, or let the service report its release: `version = \"header:X-Release\"`"
            }
            _ => {
                "set `version` in `[app.health]` to the place that reports the release, with a pattern that picks it \
                 out: \
                 `'body:version = (.*)'`"
            }
        };
        let help = format!("{way}. If this deploy adds it, add `--unproven`");
        Err(thrown(Failure::new(Cause::Unproven, message).help(help).unchanged()))
    }

    /// Returns whether rfab probes the host.
    ///
    /// It does if the fleet file has `[app.health]` and the host is in a pool. In a fleet without pools, it probes
    /// every host.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !health::known(host) { ui::warn("nothing proves that it serves"); }
    /// ```
    #[rhai_fn(name = "known", return_raw)]
    pub(crate) fn known(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        Ok(probed(&here(&ctx)?.fleet_of(&host.0.host), &host.0.host))
    }

    /// Fails if the fleet file has neither a health check nor units for a host, so nothing could prove a deploy.
    ///
    /// # Example
    ///
    /// ```rhai
    /// health::want_proof(targets());
    /// ```
    #[rhai_fn(name = "want_proof", return_raw)]
    pub(crate) fn want_proof(targets: Targets) -> RhaiResultOf<()> {
        let fleet = &targets.fleet;
        let Some(app) = fleet.app.as_ref().filter(|app| app.service.is_none()) else { return Ok(()) };
        let Some(silent) = targets.hosts.iter().find(|host| !probed(fleet, host)) else { return Ok(()) };
        let which = match app.health {
            None => format!("a host of `{}`", fleet.name),
            Some(_) => format!("`{silent}`, which is in no pool,"),
        };
        let message = format!("rfab can't prove what {which} serves, so rfab switches nothing");
        let help = "set in the fleet file how to probe its hosts: `[app.health]` with \
                    `url = \"http://{address}:8080/health\"`, \
                    or which units run there: `[app.service]` with `units = { web = [\"shop\"] }`";
        Err(thrown(Failure::new(Cause::Fabfile, message).help(help)))
    }
}
