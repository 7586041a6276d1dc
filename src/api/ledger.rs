//! Primitives that read from the ledgers who did what.
use super::HostValue;
use crate::{
    bookkeeping::{Consult, Summed},
    control::shown,
    ledger::LedgerLine,
    release::ReadBook,
    script::{RhaiResultOf, Targets, here, thrown},
    session::CommitNames,
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

/// Turns a ledger line into a map for scripts.
fn entry(line: &LedgerLine, names: &CommitNames) -> Map {
    let optional = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| text.to_owned().into());
    let who = match &line.on_behalf_of {
        Some(other) => format!("{} for {other}", line.who),
        None => line.who.clone(),
    };
    let called = line.commit.as_deref().map(|commit| {
        let short = commit.get(..12).unwrap_or(commit);
        names.of(commit).map_or(short.to_owned(), |name| format!("{name} ({short})"))
    });
    let of = called.as_ref().map(|called| format!(" of {called}")).unwrap_or_default();
    let on = line.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    let reason = &*shown(line.reason.as_deref().unwrap_or_default());
    // A switch is recorded under its host's name.
    let switched = reason.strip_prefix("switch ").filter(|_| line.effect == "mark");
    let what = match (&*line.effect, switched) {
        (_, Some(_)) => format!("switch to {}", called.as_deref().unwrap_or("another release")),
        // What runs once is the fleet's, wherever it ran.
        ("mark", None) => format!("{reason}{of}{on}"),
        (effect, None) => format!("{effect}{of}"),
    };
    let mut map = Map::new();
    let mut set = |key: &str, value: Dynamic| _ = map.insert(key.into(), value);
    set("what", what.into());
    set("run", line.run.to_string().into());
    set("who", who.into());
    set("from", line.from.clone().into());
    set("at", line.at.clone().into());
    set("host", optional(if line.effect == "mark" { switched } else { line.host.as_deref() }));
    set("commit", optional(line.commit.as_deref()));
    set("reason", optional(line.reason.as_deref()));
    set("why", line.why().to_owned().into());
    map
}

fn entries<'a>(lines: impl IntoIterator<Item = &'a LedgerLine>, names: &CommitNames) -> Dynamic {
    lines.into_iter().map(|line| Dynamic::from(entry(line, names))).collect::<Array>().into()
}

#[export_module(manifest)]
pub mod ledger {
    /// Returns a summary of the fleet's ledger, which has the runs of all operators.
    ///
    /// It's a map with `names`, `out`, `open`, `runs` and `unread`.
    ///
    /// `names` maps each of the last 2,000 commits to its name. `out` maps each host that nobody put back to its last
    /// drain. `open` lists steps that began and have no known end, such as a drain, a switch or a migration. `runs`
    /// lists the other runs that began and didn't end. `unread` counts lines that are damaged or were written by a
    /// newer rfab.
    ///
    /// An entry of `out`, `open` or `runs` is a map with `what`, `run`, `who`, `from`, `at`, `host`, `commit`, `reason`
    /// and `why`. A run's `reason` is its command line. `why` is the reason in plain words.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for run in ledger::of_fleet(targets()).runs { ui::note(`${run.who}: ${run.reason}`); }
    /// ```
    #[rhai_fn(name = "of_fleet", return_raw)]
    pub(crate) fn of_fleet(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let question = Summed { hosts: targets.hosts.iter().map(|host| host.name.clone()).collect() };
        let summary = here.perform(Consult { fleet: targets.fleet.clone(), question })?;
        let called = &here.session.observed.names;
        let names: Map = summary.names.into_iter().map(|(commit, name)| ((&*commit).into(), name.into())).collect();
        let out: Map = summary.out.iter().map(|(host, line)| ((&**host).into(), entry(line, called).into())).collect();
        let mut map = Map::new();
        map.insert("names".into(), names.into());
        map.insert("out".into(), out.into());
        map.insert("open".into(), entries(&summary.open, called));
        // This run has begun and not ended, too.
        let others = summary.runs.iter().filter(|line| line.run != here.session.run.id);
        map.insert("runs".into(), entries(others, called));
        map.insert("unread".into(), (summary.unread as i64).into());
        Ok(map)
    }

    /// Returns a summary of a host's own ledger: a map with `activated` and `open`.
    ///
    /// `activated` is the last completed activation, or `()`. `open` lists steps that began and have no known end.
    /// Entries have the same keys as in `ledger::of_fleet`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let last = ledger::of_host(host).activated;
    /// if last != () { ui::note(host, `deployed by ${last.who}`); }
    /// ```
    #[rhai_fn(name = "of_host", return_raw)]
    pub(crate) fn of_host(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<Map> {
        let here = here(&ctx)?.clone();
        let fleet = here.fleet_of(&host.0.host);
        let own = here.perform(ReadBook::of(&fleet, &host.0.host).map_err(thrown)?)?;
        let called = &here.session.observed.names;
        let mut map = Map::new();
        map.insert("activated".into(), own.activated.map_or(Dynamic::UNIT, |line| entry(&line, called).into()));
        map.insert("open".into(), entries(&own.open, called));
        Ok(map)
    }
}
