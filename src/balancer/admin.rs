//! Takes hosts out of all their pools, or puts them back: all or none.
use super::{
    Place, ReadBalance, by_hand,
    driver::{self, Checked, Driver},
    places,
};
use crate::{
    effect::*,
    event::{Standing, What},
    failure::{Failure, Reason},
    fleet::{Balancer, Fleet},
    host::{Host, Name, listed},
    ledger::{Line, Phase, ReadLedger},
    model::{Miss, Model, Predicted},
    world::real::Site,
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Drains hosts, or makes them ready, on every balancer; what changed is put back if one of them fails.
#[derive(Clone, Serialize)]
pub struct SetAdmin {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub hosts: Vec<Host>,
    pub to: Admin,
    /// Why, as the ledger keeps it: `only`, `flip`, `deploy`, `all` or the user's words.
    pub reason: String,
    /// Whether a person typed these hosts by name.
    pub typed: bool,
}

/// How long a balancer may take until it shows what it was told.
const SETTLE: Duration = Duration::from_secs(5);

impl Effect for SetAdmin {
    type Outcome = ();
    const NAME: &'static str = "set_admin";
    const KIND: Kind = Kind::Change;

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

    fn story(&self) -> Story {
        let word = if self.to == Admin::Ready { "ready" } else { "drain" };
        Story { word: Some(word), reason: Some(self.reason.clone()), ..Story::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        let questions = by_hand::questions(&at, &self.fleet, &self.hosts, self.to).await?;
        for noting in at.notes {
            let place = noting.place.as_ref().expect("the ledger of a drain is on the balancers");
            site.balancing.note(place, "ledger", &noting.note.intent).await?;
        }
        let changed = self.change(&at, &site, questions).await;
        let mut unwritten = None;
        for noting in at.notes {
            let place = noting.place.as_ref().expect("the ledger of a drain is on the balancers");
            let line = if changed.is_ok() { &noting.note.ok } else { &noting.note.failed };
            if let Err(failure) = site.balancing.note(place, "ledger", line).await {
                unwritten.get_or_insert(failure);
            }
        }
        match unwritten.filter(|_| changed.is_ok()) {
            Some(failure) => Err(self.without_end(&failure)),
            None => changed,
        }
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
            if to == Admin::Ready && !model.partial {
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

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let balance = ask.read(ReadBalance { fleet: self.fleet.clone() })?;
        let wanted = if self.to == Admin::Ready { Standing::Live } else { Standing::Out };
        let mut otherwise = Vec::new();
        for host in &self.hosts {
            let standing = balance.standing(&self.fleet, host)?;
            if standing != wanted && standing != Standing::None {
                otherwise.push(host);
            }
        }
        if self.to == Admin::Ready && !otherwise.is_empty() {
            let book = ask.read(ReadLedger { fleet: self.fleet.clone() })?;
            // Who was put back and is out again was taken out since, past rfab: that is not undone.
            let own = |line: &Line| *ask.run() == line.run && (line.effect == "drain" || line.phase == Phase::Intent);
            otherwise.retain(|host| book.last_admin(&host.name).is_none_or(own));
        }
        Ok(if otherwise.is_empty() { Seen::Done(()) } else { Seen::Not })
    }
}

impl SetAdmin {
    /// It was done, and no ledger says so: whoever comes next has to look.
    fn without_end(&self, failure: &Failure) -> Failure {
        let message =
            format!("{}: it was done, but that cannot be written down: {}", Effect::describe(self), failure.message);
        let home = format!("{}/{}", self.fleet.state, self.fleet.name);
        Failure::unknown(message).help(format!(
            "make room in `{home}` on the balancers; then go on with this run, which looks how the hosts stand"
        ))
    }

    /// What users would feel of a host that is put back.
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
            model.harmed.push(format!("{host} ready while it runs another release than its current one"));
        }
        Ok(())
    }

    async fn change(&self, at: &At<'_>, site: &Site, questions: Vec<(&Balancer, String)>) -> Result<(), Failure> {
        let mut changed: Vec<Server> = Vec::new();
        let mut result = self.change_all(at, site, &mut changed).await;
        if result.is_ok() {
            // A person is asked last: what programs did can be put back if the answer is no.
            result = by_hand::done(at, questions).await;
        }
        let Err(failure) = result else { return Ok(()) };
        // Backwards, so that each server ends as it was first seen.
        let mut kept = Vec::new();
        for Server { driver, place, before, .. } in changed.iter().rev() {
            match set(&**driver, place, *before).await {
                Ok(()) => {}
                Err(_) => kept.push(format!("{}/{}/{}", place.balancer, place.pool, place.server)),
            }
        }
        Err(match (&*changed, &*kept) {
            ([], _) => failure,
            (_, []) => as_they_were(failure),
            (_, kept) => Failure {
                reason: Reason::Balancer,
                message: format!(
                    "{}; and these could not be put back as they were: {}",
                    failure.message,
                    kept.join(", ")
                ),
                ..failure
            },
        })
    }

    /// The servers that change, as they stand now. Each pool is listed once, however many of its servers are meant.
    async fn servers<'a>(&'a self, at: &At<'_>, site: &Site) -> Result<Vec<Server<'a>>, Failure> {
        let by_hand = |place: &Place| self.fleet.balancer(&place.balancer).is_some_and(|b| b.by_hand());
        let (mut drivers, mut lists, mut all) = (BTreeMap::new(), Lists::default(), Vec::new());
        for host in &self.hosts {
            for place in moved(at.notes, &self.fleet, host).into_iter().filter(|place| !by_hand(place)) {
                if !drivers.contains_key(&place.balancer) {
                    drivers.insert(place.balancer.clone(), site.balancing.driver(&place.balancer).await?);
                }
                let driver = drivers[&place.balancer].clone();
                let before = lists.of(&*driver, &place).await.map_err(|f| f.on(&host.name))?.own;
                all.push(Server { driver, place, host, before });
            }
        }
        Ok(all)
    }

    /// Changes all servers of the hosts. What was changed is noted, also when it fails.
    async fn change_all<'a>(&'a self, at: &At<'_>, site: &Site, changed: &mut Vec<Server<'a>>) -> Result<(), Failure> {
        let all = self.servers(at, site).await?;
        let spared = |before| before == Admin::Maint && self.to == Admin::Drain;
        let moving: Vec<&Server> = all.iter().filter(|s| s.before != self.to && !spared(s.before)).collect();
        if self.to != Admin::Ready {
            for server in &moving {
                changed.push((*server).clone());
                server.tell(self.to).await?;
            }
            return shown(&moving, self.to).await;
        }
        // Nobody checks in maintenance, and from there HAProxy sends requests before the first check has passed.
        let unchecked: Vec<&Server> = moving.iter().copied().filter(|s| s.before == Admin::Maint).collect();
        for server in &unchecked {
            changed.push((*server).clone());
            server.tell(Admin::Drain).await?;
        }
        shown(&unchecked, Admin::Drain).await?;
        // A server may follow another of the same host: none is waited for before all are told.
        let within = |s: &Server| self.fleet.balancer(&s.place.balancer).map_or(SETTLE, |b| b.drain_within);
        checked(&unchecked, within).await?;
        for server in &moving {
            if server.before != Admin::Maint {
                changed.push((*server).clone());
            }
            server.tell(self.to).await?;
        }
        shown(&moving, self.to).await?;
        let mut lists = Lists::default();
        for server in &all {
            server.say_what_holds(at, &mut lists).await?;
        }
        Ok(())
    }
}

/// A server that is meant, and what it was told before.
#[derive(Clone)]
struct Server<'a> {
    driver: Arc<dyn Driver>,
    place: Place,
    host: &'a Host,
    before: Admin,
}

impl Server<'_> {
    async fn tell(&self, to: Admin) -> Result<(), Failure> {
        let told = self.driver.set_admin(&self.place.pool, &self.place.server, to).await;
        told.map_err(|f| f.on(&self.host.name))
    }

    /// Says that a server stays out although it is ready: the server that it follows is out, or its name does not resolve.
    async fn say_what_holds(&self, at: &At<'_>, lists: &mut Lists) -> Result<(), Failure> {
        let host = &self.host.name;
        let server = lists.of(&*self.driver, &self.place).await.map_err(|f| f.on(host))?;
        if server.admin != Admin::Ready {
            let Place { balancer, pool, server: name } = &self.place;
            let because = match &server.follows {
                Some(other) => format!("it follows `{other}`, which is out"),
                None => format!("`{balancer}` says `{}`", server.raw),
            };
            let text = format!("`{pool}/{name}` on `{balancer}` was put back, but gets no requests: {because}");
            at.tell(What::Warned { host: Some(host.clone()), text });
        }
        Ok(())
    }
}

/// The servers of pools, each pool listed when it is first asked for.
#[derive(Default)]
struct Lists(BTreeMap<(Name, Name), BTreeMap<String, driver::Server>>);

impl Lists {
    async fn of(&mut self, driver: &dyn Driver, place: &Place) -> Result<&driver::Server, Failure> {
        let at = (place.balancer.clone(), place.pool.clone());
        if !self.0.contains_key(&at) {
            let servers = driver.list(&place.pool).await?.into_iter().map(|server| (server.name.clone(), server));
            self.0.insert(at.clone(), servers.collect());
        }
        self.0[&at].get(&place.server).ok_or_else(|| unknown(place))
    }
}

/// Waits until balancers show what they were told of servers.
async fn shown(servers: &[&Server<'_>], to: Admin) -> Result<(), Failure> {
    let until = tokio::time::Instant::now() + SETTLE;
    loop {
        let (mut lists, mut late) = (Lists::default(), None);
        for server in servers {
            let on = |f: Failure| f.on(&server.host.name);
            let now = lists.of(&*server.driver, &server.place).await.map_err(on)?.own;
            if now != to {
                late = Some((server, now));
                break;
            }
        }
        let Some((server, now)) = late else { return Ok(()) };
        if tokio::time::Instant::now() > until {
            return Err(not_taken(&server.place, now).on(&server.host.name));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the balancers' checks of servers pass.
async fn checked(servers: &[&Server<'_>], within: impl Fn(&Server<'_>) -> Duration) -> Result<(), Failure> {
    let began = tokio::time::Instant::now();
    loop {
        let (mut lists, mut waits) = (Lists::default(), false);
        for one in servers {
            let server = lists.of(&*one.driver, &one.place).await.map_err(|f| f.on(&one.host.name))?;
            // In a maintenance that is not its own nobody checks either.
            if server.health == Checked::Up || server.admin == Admin::Maint {
                continue;
            }
            if began.elapsed() > within(one) {
                return Err(unhealthy(one.host, &server.raw));
            }
            waits = true;
        }
        if !waits {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The places of a host that change: all, unless the ledger's line names some.
pub(super) fn moved(notes: &[Noting], fleet: &Fleet, host: &Host) -> Vec<Place> {
    let only = notes.iter().find(|noting| noting.host == host.name).and_then(|noting| noting.places.as_ref());
    let changes = |place: &Place| only.is_none_or(|only| only.contains(&place.to_string()));
    places(fleet, host).into_iter().filter(changes).collect()
}

/// The refusal to put back a host that its balancer does not take for healthy.
pub fn unhealthy(host: &Host, said: &str) -> Failure {
    Failure::refused(format!("host `{host}` isn't healthy: its balancer says `{said}`; left out")).on(&host.name)
}

fn as_they_were(failure: Failure) -> Failure {
    Failure { message: format!("{}; all others are as they were", failure.message), ..failure }
}

/// What a server was told itself: what it follows beyond that is not its own to change.
async fn admin_of(driver: &dyn Driver, place: &Place) -> Result<Admin, Failure> {
    server_of(driver, place).await.map(|server| server.own)
}

pub(super) async fn server_of(driver: &dyn Driver, place: &Place) -> Result<driver::Server, Failure> {
    let servers = driver.list(&place.pool).await?;
    servers.into_iter().find(|s| s.name == place.server).ok_or_else(|| unknown(place))
}

fn not_taken(Place { balancer, pool, server }: &Place, now: Admin) -> Failure {
    let message = format!("`{balancer}` accepted the change, but `{pool}/{server}` is still {now:?}").to_lowercase();
    Failure::new(Reason::Balancer, message)
}

fn unknown(Place { balancer, pool, server }: &Place) -> Failure {
    Failure::new(Reason::Balancer, format!("`{balancer}` has no server `{server}` in its pool `{pool}`"))
}

/// Changes and reads back until the balancer shows it.
pub(super) async fn set(driver: &dyn Driver, place: &Place, to: Admin) -> Result<(), Failure> {
    driver.set_admin(&place.pool, &place.server, to).await?;
    let until = tokio::time::Instant::now() + SETTLE;
    loop {
        let now = admin_of(driver, place).await?;
        if now == to {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            return Err(not_taken(place, now));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
