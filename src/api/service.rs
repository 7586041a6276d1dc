//! Primitives for the app's units.
use super::HostValue;
use crate::{
    duration::written,
    script::{Here, RhaiResultOf, here, thrown},
    service::{ChangeService, FollowLogs, Install, ReadInstalled, ReadService, ServiceChange, ServiceRead, units},
};
use rhai::{Array, Dynamic, NativeCallContext, plugin::*};

fn change(here: &Here, host: &HostValue, change: ServiceChange) -> RhaiResultOf<()> {
    let (fleet, host) = (here.fleet_of(&host.0.host), &host.0.host);
    for unit in units(&fleet, host).map_err(thrown)? {
        here.perform(ChangeService::of(&fleet, host, &unit, change).map_err(thrown)?)?;
    }
    Ok(())
}

fn read(here: &Here, host: &HostValue, read: ServiceRead) -> RhaiResultOf<Vec<(String, crate::remote::Output)>> {
    let (fleet, host) = (here.fleet_of(&host.0.host), &host.0.host);
    let mut answers = Vec::new();
    for unit in units(&fleet, host).map_err(thrown)? {
        let output = here.perform(ReadService::of(&fleet, host, &unit, read).map_err(thrown)?)?;
        answers.push((unit.to_string(), output));
    }
    Ok(answers)
}

#[export_module(manifest)]
pub mod service {
    /// Restarts the host's units, which the fleet file lists by role. rfab refuses while the host is live.
    ///
    /// # Example
    ///
    /// ```rhai
    /// service::restart(host);
    /// ```
    #[rhai_fn(name = "restart", return_raw)]
    pub(crate) fn restart(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        change(&*here(&ctx)?, &host, ServiceChange::Restart)
    }

    /// Starts the host's units. rfab refuses while the host is live.
    ///
    /// # Example
    ///
    /// ```rhai
    /// service::start(host);
    /// ```
    #[rhai_fn(name = "start", return_raw)]
    pub(crate) fn start(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        change(&*here(&ctx)?, &host, ServiceChange::Start)
    }

    /// Stops the host's units. rfab refuses while the host is live.
    ///
    /// # Example
    ///
    /// ```rhai
    /// service::stop(host);
    /// ```
    #[rhai_fn(name = "stop", return_raw)]
    pub(crate) fn stop(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        change(&*here(&ctx)?, &host, ServiceChange::Stop)
    }

    /// Tells the host's units to take no new work, with the fleet file's `quiet` command.
    ///
    /// It returns how long they may take to finish the work they have, according to `quiet_within`. If the fleet file
    /// has no `quiet`, the call does nothing and returns `()`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let within = service::quiet(host);
    /// if within != () { clock::deadline(within, "2s", || service::idle(host)); }
    /// ```
    #[rhai_fn(name = "quiet", return_raw)]
    pub(crate) fn quiet(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?;
        let fleet = here.fleet_of(&host.0.host);
        let service = fleet.app.as_ref().and_then(|app| app.service.as_ref());
        let Some(service) = service.filter(|service| service.quiet.is_some()) else { return Ok(Dynamic::UNIT) };
        change(&here, &host, ServiceChange::Quiet)?;
        Ok(written(service.quiet_within.as_millis() as u64).into())
    }

    /// Returns whether the host's units have no work left, according to the fleet file's `idle` command.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if service::quiet(host) != () { ui::note(`${service::idle(host)}`); }
    /// ```
    #[rhai_fn(name = "idle", return_raw)]
    pub(crate) fn idle(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let answers = read(&*here(&ctx)?, &host, ServiceRead::Idle)?;
        Ok(answers.iter().all(|(_, output)| output.status == 0))
    }

    /// Installs a version of the app's package, with the fleet file's `install` command.
    ///
    /// rfab refuses while the host is live.
    ///
    /// # Example
    ///
    /// ```rhai
    /// service::install(host, "3.0.1-1");
    /// ```
    #[rhai_fn(name = "install", return_raw)]
    pub(crate) fn install(ctx: NativeCallContext, host: HostValue, version: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let fleet = here.fleet_of(&host.0.host);
        here.perform(Install::of(&fleet, &host.0.host, version).map_err(thrown)?)
    }

    /// Returns the version of the app's package on the host; `()` if it isn't installed.
    ///
    /// The version is what the fleet file's `installed` command prints.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if service::installed(host) != "3.0.1-1" { ui::note(host, "has another version"); }
    /// ```
    #[rhai_fn(name = "installed", return_raw)]
    pub(crate) fn installed(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Dynamic> {
        let here = here(&ctx)?;
        let fleet = here.fleet_of(&host.0.host);
        let version = here.perform(ReadInstalled::of(&fleet, &host.0.host).map_err(thrown)?)?;
        Ok(version.map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// Returns the status of the host's units: one map per unit, with `unit`, `running` and `text`.
    ///
    /// `text` is what the unit reports.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for unit in service::status(host) { ui::note(`${unit.unit}: ${unit.text}`); }
    /// ```
    #[rhai_fn(name = "status", return_raw)]
    pub(crate) fn status(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Array> {
        let answers = read(&*here(&ctx)?, &host, ServiceRead::Status)?;
        let map = |(unit, output): (String, crate::remote::Output)| {
            let mut map = rhai::Map::new();
            map.insert("unit".into(), unit.into());
            map.insert("running".into(), (output.status == 0).into());
            map.insert("text".into(), output.out.into());
            Dynamic::from(map)
        };
        Ok(answers.into_iter().map(map).collect())
    }

    /// Returns the last lines of the logs of the host's units.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(service::logs(host, 20));
    /// ```
    #[rhai_fn(name = "logs", return_raw)]
    pub(crate) fn logs(ctx: NativeCallContext, host: HostValue, lines: i64) -> RhaiResultOf<String> {
        let lines = lines.clamp(1, 10_000) as u32;
        let answers = read(&*here(&ctx)?, &host, ServiceRead::Logs(lines))?;
        Ok(answers.into_iter().map(|(_, output)| output.out).collect::<Vec<_>>().join("\n"))
    }

    /// Shows the logs of the host's units as they grow, until Ctrl-C.
    ///
    /// # Example
    ///
    /// ```rhai
    /// targets().parallel(|host| service::follow(host));
    /// ```
    #[rhai_fn(name = "follow", return_raw)]
    pub(crate) fn follow(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        here.perform(FollowLogs::of(&here.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?)
    }

    /// Returns the names of the host's units.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(`${service::units(host)}`);
    /// ```
    #[rhai_fn(name = "units", return_raw)]
    pub(crate) fn unit_names(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Array> {
        let here = here(&ctx)?;
        let units = units(&here.fleet_of(&host.0.host), &host.0.host).map_err(thrown)?;
        Ok(units.into_iter().map(|u| u.to_string().into()).collect())
    }
}
