//! Takes hosts out of all their pools, or puts them back: all or none.
use super::{
    ReadBalance, by_hand,
    meant_server::{MeantServer, SETTLE, ServersNow, checked, set, shown, tell, unhealthy, unknown},
    place::moved,
    places,
};
use crate::{
    bookkeeping::ReadLedger,
    effect::*,
    event::PoolState,
    failure::{Cause, Failure, Reason},
    fleet::{Balancer, Fleet},
    host::{Host, Name, listed},
    ledger::{LedgerLine, Phase},
    model::{Miss, Model, Predicted},
    port::{FleetConnections, LedgerLines, ServerPlace},
};
use futures_util::future::{join, join_all};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Drains hosts or makes them ready on every balancer. If one change fails, the others are undone.
#[derive(Clone, Serialize)]
pub struct SetAdmin {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub hosts: Vec<Host>,
    pub to: Admin,
    /// The reason that the ledger keeps: `only`, `flip`, `deploy`, `all` or the user's words.
    pub reason: String,
    /// Whether a person typed these hosts by name.
    pub typed: bool,
}

impl Effect for SetAdmin {
    type Outcome = ();
    const NAME: &'static str = "set_admin";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        match &*self.hosts {
            [host] => Subject::Host(host),
            _ => Subject::Fleet(&self.fleet.name),
        }
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Admin { hosts: &self.hosts, to: self.to }
    }

    fn describe(&self) -> String {
        let hosts: Vec<&str> = self.hosts.iter().map(|h| &*h.name).collect();
        match self.to {
            Admin::Ready => format!("ready {}", listed(&hosts)),
            Admin::Drain | Admin::Maint => format!("drain {}", listed(&hosts)),
        }
    }

    fn ledger_detail(&self) -> LedgerDetail {
        let word = if self.to == Admin::Ready { "ready" } else { "drain" };
        LedgerDetail { word: Some(word), reason: Some(self.reason.clone()), ..LedgerDetail::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        let questions = by_hand::questions(&at, &self.fleet, &self.hosts, self.to).await?;
        // Both before the first change, and in one round trip. Without the lock, nothing is written.
        let (intended, servers) =
            join(write(&site, at.ledger_writes, |note| &note.intent), self.servers(&at, &site)).await;
        if let Err(failure) = intended {
            // Other places may have the intent, and one without an end hides the hosts' state there.
            let _ = write(&site, at.ledger_writes, |note| &note.failed).await;
            // The change hasn't begun, so nobody has to find out whether it was done.
            return Err(match failure.reason() {
                Reason::Unknown => Failure { cause: Cause::Unlocked, ..failure },
                _ => failure,
            });
        }
        let changed = self.change(&at, servers, questions).await;
        // What was read before isn't so any more.
        site.balance.forget();
        let end = write(&site, at.ledger_writes, |note| if changed.is_ok() { &note.ok } else { &note.failed });
        let (written, _) = join(end, self.read_back(&at)).await;
        match written {
            Err(failure) if changed.is_ok() => Err(self.without_end(&failure)),
            _ => changed,
        }
    }

    fn reads_back(&self) -> bool {
        true
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for balancer in &self.fleet.balancers {
            model.machine(&balancer.host)?;
        }
        let (now, to) = (model.now, self.to);
        for host in &self.hosts {
            for place in places(&self.fleet, host) {
                let at = (self.fleet.name.clone(), place.balancer.clone(), place.pool.clone(), host.name.clone());
                if !model.servers.contains_key(&at) {
                    return Err(unknown(&place).on(&host.name).into());
                }
            }
        }
        for host in self.hosts.iter().filter(|_| to == Admin::Ready) {
            let unchecked = model.servers_of(host).any(|s| matches!(s.admin.get(""), Ok(Admin::Maint)));
            if unchecked && !model.up(host)? {
                let within = self.fleet.balancers.iter().map(|b| b.drain_within).max().unwrap_or(SETTLE);
                if now < model.began + within.as_millis() as u64 {
                    return Err(Miss::Later(now + model.inter));
                }
                return Err(as_they_were(unhealthy(host, "DOWN")).into());
            }
        }
        for host in &self.hosts {
            if to == Admin::Ready {
                self.watch(model, host)?;
            }
            for server in model.moved_servers_of(host) {
                match (server.admin.get("").copied(), to) {
                    (Ok(Admin::Maint), Admin::Drain) => continue,
                    (Ok(Admin::Drain | Admin::Maint), _) | (_, Admin::Ready) => {}
                    _ => server.since = now,
                }
                server.admin.predict(to);
                server.strange &= to != Admin::Ready;
            }
        }
        model.watch();
        Ok(())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let balance = ask.read(ReadBalance::of(self.fleet.clone()))?;
        let wanted = if self.to == Admin::Ready { PoolState::Live } else { PoolState::Out };
        let mut otherwise = Vec::new();
        for host in &self.hosts {
            let standing = balance.standing(&self.fleet, host)?;
            if standing != wanted && standing != PoolState::None {
                otherwise.push(host);
            }
        }
        if self.to == Admin::Ready && !otherwise.is_empty() {
            let book = ask.read(ReadLedger { fleet: self.fleet.clone() })?;
            // A host that this run put back and that is out again was taken out since, without rfab: that isn't undone.
            // What another run wrote down was so before this one, because a run that was overtaken isn't resumed.
            let back = |line: &LedgerLine| *ask.run() == line.run && line.effect == "ready" && line.phase == Phase::Ok;
            otherwise.retain(|host| !book.last_admin(&host.name).is_some_and(back));
        }
        Ok(if otherwise.is_empty() { Happened::Done(()) } else { Happened::Not })
    }
}

/// Writes a line of each note, on all balancers at the same time.
async fn write(
    site: &FleetConnections,
    writes: &[LedgerWrite],
    line: impl Fn(&LedgerLines) -> &String,
) -> Result<(), Failure> {
    let mut lines: BTreeMap<&Name, Vec<&str>> = BTreeMap::new();
    for write in writes {
        let place = write.place.as_ref().expect("the ledger of a drain is on the balancers");
        lines.entry(place).or_default().push(line(&write.lines));
    }
    let written = join_all(lines.iter().map(|(place, lines)| site.coordinator.note_all(place, "ledger", lines))).await;
    written.into_iter().collect()
}

impl SetAdmin {
    /// Returns the failure of a change that was done but couldn't be recorded: the next run has to look.
    fn without_end(&self, failure: &Failure) -> Failure {
        let message =
            format!("{}: it was done, but rfab can't record that: {}", Effect::describe(self), failure.message);
        let home = self.fleet.state_folder();
        Failure::unknown(message).help(format!(
            "free some space in `{home}` on the balancers; then resume this run, which checks the state of the hosts"
        ))
    }

    /// Records in the model the harm that users would feel from a host that is put back.
    fn watch(&self, model: &mut Model, host: &Host) -> Predicted<()> {
        let out = model.servers_of(host).any(|s| matches!(s.admin.get(""), Ok(Admin::Drain | Admin::Maint)));
        let strange = model.servers_of(host).any(|s| s.strange);
        let machine = model.machine(host).map(|m| (m.current.clone(), m.running.clone(), m.installed.clone()));
        if out && !model.up(host)? {
            model.harmed.push(format!("{host} ready while it is down"));
        }
        if out && strange && !self.typed {
            model.harmed.push(format!("{host} ready, which somebody else took out"));
        }
        if let Ok((current, running, installed)) = machine
            && let (Ok(Some(current)), Ok(Some(running))) = (current.get(""), running.get(""))
            && out
            && !current.is_of(running)
            && installed.as_deref() != Some(&**running)
        {
            model.harmed.push(format!("{host} ready while it runs a release other than its current one"));
        }
        Ok(())
    }

    /// Reads the balancers for who asks next, in the round trip of the last line. Of a balancer that a person changes,
    /// only that line tells the state.
    async fn read_back(&self, at: &At<'_>) {
        if !self.fleet.balancers.iter().any(Balancer::by_hand) {
            // If it fails, who asks next reads by itself.
            let _ = Effect::carry_out(&ReadBalance::just_now(self.fleet.clone()), *at).await;
        }
    }

    async fn change(
        &self,
        at: &At<'_>,
        servers: Result<Vec<MeantServer<'_>>, Failure>,
        questions: Vec<(&Balancer, String)>,
    ) -> Result<(), Failure> {
        let mut changed: Vec<MeantServer> = Vec::new();
        let mut result = match servers {
            Ok(all) => self.change_all(at, &all, &mut changed).await,
            Err(failure) => Err(failure),
        };
        if result.is_ok() {
            // A person is asked last: rfab can undo its changes if the answer is no.
            result = by_hand::done(at, questions).await;
        }
        let Err(failure) = result else { return Ok(()) };
        // In reverse order, so that each server ends as it was first seen.
        let mut kept = Vec::new();
        for MeantServer { driver, place, before, .. } in changed.iter().rev() {
            match set(&**driver, place, *before).await {
                Ok(()) => {}
                Err(_) => kept.push(format!("{}/{}/{}", place.balancer, place.pool, place.server)),
            }
        }
        Err(match (&*changed, &*kept) {
            ([], _) => failure,
            (_, []) => as_they_were(failure),
            (_, kept) => Failure {
                cause: Cause::Balancer,
                message: format!("{}; rfab couldn't put these back as they were: {}", failure.message, kept.join(", ")),
                ..failure
            },
        })
    }

    /// Returns the servers that change, with their current states.
    async fn servers<'a>(&'a self, at: &At<'_>, site: &FleetConnections) -> Result<Vec<MeantServer<'a>>, Failure> {
        let by_hand = |place: &ServerPlace| self.fleet.balancer(&place.balancer).is_some_and(|b| b.by_hand());
        let (mut drivers, mut all) = (BTreeMap::new(), Vec::new());
        for host in &self.hosts {
            for place in moved(at.ledger_writes, &self.fleet, host).into_iter().filter(|place| !by_hand(place)) {
                if !drivers.contains_key(&place.balancer) {
                    drivers.insert(place.balancer.clone(), site.coordinator.driver(&place.balancer).await?);
                }
                let driver = drivers[&place.balancer].clone();
                all.push(MeantServer { driver, place, host, before: Admin::Ready });
            }
        }
        let now = ServersNow::of(&all).await?;
        for server in &mut all {
            server.before = now.of_server(server)?.own;
        }
        Ok(all)
    }

    /// Changes all servers of the hosts. Adds each changed one to `changed`, even if another one fails.
    async fn change_all<'a>(
        &'a self,
        at: &At<'_>,
        all: &[MeantServer<'a>],
        changed: &mut Vec<MeantServer<'a>>,
    ) -> Result<(), Failure> {
        let spared = |before| before == Admin::Maint && self.to == Admin::Drain;
        let moving: Vec<MeantServer> =
            all.iter().filter(|s| s.before != self.to && !spared(s.before)).cloned().collect();
        if self.to != Admin::Ready {
            let now = tell(&moving, self.to, &moving, changed).await?;
            return shown(&moving, &moving, self.to, now).await.map(drop);
        }
        // HAProxy doesn't check in maintenance, and a server that leaves it gets requests before its first check
        // passes.
        let unchecked: Vec<MeantServer> = moving.iter().filter(|s| s.before == Admin::Maint).cloned().collect();
        if !unchecked.is_empty() {
            let now = tell(&unchecked, Admin::Drain, &unchecked, changed).await?;
            shown(&unchecked, &unchecked, Admin::Drain, now).await?;
            // A server may follow another one of the same host, so rfab tells all of them before it waits for any.
            let within = |s: &MeantServer| self.fleet.balancer(&s.place.balancer).map_or(SETTLE, |b| b.drain_within);
            checked(&unchecked, within).await?;
        }
        // Servers that were in maintenance are in `changed` already, with the state to put back.
        let mut told = Vec::new();
        let result = tell(&moving, self.to, all, &mut told).await;
        changed.extend(told.into_iter().filter(|server| server.before != Admin::Maint));
        let now = shown(all, &moving, self.to, result?).await?;
        for server in all {
            server.say_what_holds(at, &now)?;
        }
        Ok(())
    }
}

fn as_they_were(failure: Failure) -> Failure {
    Failure { message: format!("{}; all others are unchanged", failure.message), ..failure }
}
