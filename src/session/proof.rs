//! What must hold before a host is put back.
use super::{Rest, Run, Tally};
use crate::{
    balancer::{Balance, SetAdmin, WaitUp, unhealthy},
    effect::Call,
    event::Standing,
    failure::Failure,
    health::{Glance, Probe, probed},
    host::{Host, Name},
    ledger::{Book, Line, Phase, ReadLedger},
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
        if !run.may_end(&book, &host.name) {
            let line = book.last_admin(&host.name);
            return Err(Failure::refused(format!("{}: not touched", taken_out(host, line)))
                .on(&host.name)
                .help(format!("type its name to put it back: `proxy.all:{host}`")));
        }
    }
    Ok(())
}

impl Run {
    /// Whether the last ledger line of a host that is out says that it is so by this run, by the one that it gives up, or
    /// with its group.
    pub fn may_end(&self, book: &Book, host: &str) -> bool {
        let Some(line) = book.last_admin(host) else { return false };
        let ours = self.is_about(book, line);
        let with_group = || line.reason.as_deref().is_some_and(|r| BY_GROUP.contains(&r));
        match &*line.effect {
            "drain" => ours || with_group(),
            // It died when it was about to put the host back.
            "ready" => ours && line.phase == Phase::Intent,
            _ => false,
        }
    }

    /// Whether a ledger line is of this run, of the one that it gives up, or of another that was to do so.
    pub fn is_about(&self, book: &Book, line: &Line) -> bool {
        let given_up = |run: &Name| *run == line.run || book.undoing(run).contains(&&line.run);
        line.run == self.id || self.undoes.as_ref().is_some_and(given_up)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Masks;
    use std::sync::Arc;

    fn run(id: &str, undoes: Option<&str>) -> Run {
        Run {
            id: id.into(),
            attempt: 0,
            undoes: undoes.map(Into::into),
            line: String::new(),
            naming: String::new(),
            folder: Default::default(),
            flags: Vec::new(),
            who: "anna".into(),
            on_behalf_of: None,
            from: "mac".into(),
            since: String::new(),
            yes: None,
            wait: false,
            force: false,
            force_changed: false,
            pause: None,
            allow_outage: Vec::new(),
            without_balancer: Vec::new(),
            parallel: 1,
            lines: Arc::default(),
            masks: Masks::default(),
        }
    }

    #[test]
    fn a_run_may_put_back_what_it_or_the_one_that_it_gives_up_took_out_or_was_about_to_put_back() {
        let own = run("r1", None);
        let line = |effect: &str, reason: &str, phase| Line {
            effect: effect.into(),
            host: Some("web1".into()),
            reason: Some(reason.into()),
            ..own.line(phase)
        };
        for (effect, reason, phase, ours, anothers) in [
            ("drain", "deploy", Phase::Ok, true, false),
            ("drain", "deploy", Phase::Intent, true, false),
            ("drain", "only", Phase::Ok, true, true),
            ("ready", "ready", Phase::Intent, true, false),
            ("ready", "ready", Phase::Ok, false, false),
        ] {
            let tried = Line { run: "r4".into(), ..line("run", "--abort r1", Phase::Intent) };
            let by_it = Line { run: "r4".into(), ..line(effect, reason, phase) };
            let book = |lines| Book { lines, unread: 0 };
            let may = [own.clone(), run("r2", Some("r1")), run("r3", None)].map(|run| {
                [book(vec![line(effect, reason, phase)]), book(vec![tried.clone(), by_it.clone()])]
                    .map(|book| run.may_end(&book, "web1"))
            });
            assert_eq!(may, [[ours, anothers], [ours, ours], [anothers, anothers]], "{effect} {reason} {phase:?}");
        }
    }
}
