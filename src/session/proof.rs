//! What must hold before a host is put back.
use super::{Rest, Run, Tally};
use crate::{
    balancer::{Balance, SetAdmin, WaitUp, unhealthy},
    effect::Call,
    event::Standing,
    failure::Failure,
    health::{Glance, Probe, probed},
    host::Host,
    ledger::{Line, ReadLedger},
    release::ReadReleases,
};
use std::time::Duration;

/// How long a balancer may take to see what rfab's probe saw.
const WITHIN: Duration = Duration::from_secs(60);

/// Reasons for which hosts go out as a group, so that anybody may put them back.
const BY_GROUP: [&str; 2] = ["only", "flip"];

/// Refuses to put back what this run did not take out, unless the ledger or the user allows it; who is live is in already.
pub fn may_put_back(
    set: &SetAdmin,
    balance: &Balance,
    run: &Run,
    tally: &Tally,
    call: Call<'_>,
    rest: Rest<'_>,
) -> Result<(), Failure> {
    let out = |host: &&Host| balance.standing(&set.fleet, host) != Ok(Standing::Live);
    let strange: Vec<&Host> = set.hosts.iter().filter(|h| !set.typed && !tally.told(h).drained).filter(out).collect();
    if strange.is_empty() {
        return Ok(());
    }
    let book = rest.ask(&call).read(ReadLedger { fleet: set.fleet.clone() })?;
    for host in strange {
        let line = book.last_admin(&host.name);
        if !line.is_some_and(|line| run.may_end(line)) {
            return Err(Failure::refused(format!("{}: not touched", taken_out(host, line)))
                .on(&host.name)
                .help(format!("type its name to put it back: `proxy.all:{host}`")));
        }
    }
    Ok(())
}

impl Run {
    /// Whether a ledger line says that a host is out by this run, by the one that it gives up, or with its group.
    pub fn may_end(&self, line: &Line) -> bool {
        let ours = line.run == self.id || self.undoes.as_ref() == Some(&line.run);
        let with_group = || line.reason.as_deref().is_some_and(|r| BY_GROUP.contains(&r));
        line.effect == "drain" && (ours || with_group())
    }
}

/// Who took a host out, as far as anybody wrote it down.
pub fn taken_out(host: &Host, line: Option<&Line>) -> String {
    match line {
        Some(line) if line.effect == "drain" => {
            let why = line.reason.as_deref().unwrap_or("no reason given");
            format!("`{host}` was taken out by {} at {} ({why}), not by this run", line.who, line.at)
        }
        _ => format!("`{host}` was out before this run, and the ledger does not say who took it out"),
    }
}

/// Demands good checks by the balancer and by rfab, begun after the host was last changed.
pub fn healthy(
    set: &SetAdmin,
    balance: &Balance,
    tally: &Tally,
    call: Call<'_>,
    rest: Rest<'_>,
) -> Result<(), Failure> {
    for host in &set.hosts {
        let servers = balance.servers(&set.fleet, host)?;
        // In maintenance nobody checks; such a server is drained first, and waited for.
        let mut checked = servers.iter().filter(|s| s.admin != crate::effect::Admin::Maint);
        let down = checked.find(|s| s.health != crate::balancer::driver::Checked::Up);
        let proven = tally.told(host).proven;
        let probe = if !proven && probed(&set.fleet, host) { Some(probe(set, host, call, rest)?) } else { None };
        if let Some(server) = down {
            let answers = match &probe {
                Some(probe) => rest.ask(&call).read(Glance(probe.clone()))?,
                None => proven,
            };
            if !answers {
                return Err(unhealthy(host, &server.raw));
            }
        }
        if let Some(probe) = probe {
            rest.ask(&call).read(probe)?;
            tally.proven(host);
        }
        if down.is_some() {
            // By rfab's own probe it is healthy: the balancer, which asks less often, will see it soon.
            let health = set.fleet.app.as_ref().and_then(|app| app.health.as_ref());
            let within = health.map_or(WITHIN, |h| h.within).as_millis() as u64;
            rest.ask(&call).read(WaitUp { fleet: set.fleet.clone(), host: host.clone(), within })?;
        }
    }
    Ok(())
}

/// The probe for what a host should serve: its current release.
fn probe(set: &SetAdmin, host: &Host, call: Call<'_>, rest: Rest<'_>) -> Result<Probe, Failure> {
    let listing = rest.ask(&call).read(ReadReleases::of(&set.fleet, host)?)?;
    let Some(current) = listing.current else {
        return Err(Failure::refused(format!("host `{host}` has no release: left out")).on(&host.name));
    };
    Probe::of(&set.fleet, host, &current.commit)
}
