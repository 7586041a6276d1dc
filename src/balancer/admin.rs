//! Takes hosts out of all their pools, or puts them back: all or none.
use super::{
    Place, ReadBalance,
    driver::{Checked, Driver, Server},
    places,
};
use crate::{
    effect::*,
    event::Standing,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::Host,
    model::{Fact, Model, Predicted},
    world::real::Site,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

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
            Admin::Ready => format!("ready {}", hosts.join(", ")),
            Admin::Drain | Admin::Maint => format!("drain {}", hosts.join(", ")),
        }
    }

    fn story(&self) -> Story {
        let word = if self.to == Admin::Ready { "ready" } else { "drain" };
        Story { word: Some(word), commit: None, reason: Some(self.reason.clone()) }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        for noting in at.notes {
            let place = noting.place.as_ref().expect("the ledger of a drain is on the balancers");
            site.balancing.note(place, "ledger", &noting.note.intent).await?;
        }
        let changed = self.change(&site).await;
        for noting in at.notes {
            let place = noting.place.as_ref().expect("the ledger of a drain is on the balancers");
            let line = if changed.is_ok() { &noting.note.ok } else { &noting.note.failed };
            let written = site.balancing.note(place, "ledger", line).await;
            if changed.is_ok() {
                written?;
            }
        }
        changed
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for balancer in &self.fleet.balancers {
            model.machine(&balancer.host)?;
        }
        let (now, to) = (model.now, self.to);
        for host in &self.hosts {
            if to == Admin::Ready && !model.up(host)? && !model.partial {
                model.harmed.push(format!("{host} ready while it is down"));
            }
            for server in model.servers_of(host) {
                if to != Admin::Ready && !matches!(server.admin.get(""), Ok(Admin::Drain | Admin::Maint)) {
                    server.since = now;
                }
                server.admin =
                    if matches!(server.admin, Fact::Lost(_)) { Fact::Told(to) } else { server.admin.clone() };
                server.admin.predict(to);
            }
        }
        model.watch();
        Ok(())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let balance = ask.read(ReadBalance { fleet: self.fleet.clone() })?;
        let wanted = if self.to == Admin::Ready { Standing::Live } else { Standing::Out };
        for host in &self.hosts {
            let standing = balance.standing(&self.fleet, host)?;
            if standing != wanted && standing != Standing::None {
                return Ok(Seen::Not);
            }
        }
        Ok(Seen::Done(()))
    }
}

impl SetAdmin {
    async fn change(&self, site: &Site) -> Result<(), Failure> {
        let mut changed: Vec<(Arc<dyn Driver>, Place, Admin)> = Vec::new();
        let mut result = Ok(());
        'all: for host in &self.hosts {
            for place in places(&self.fleet, host) {
                result = self.change_one(site, &place, host, &mut changed).await;
                if result.is_err() {
                    break 'all;
                }
            }
        }
        let Err(failure) = result else { return Ok(()) };
        // Backwards, so that each server ends as it was first seen.
        let mut kept = Vec::new();
        for (driver, place, before) in changed.iter().rev() {
            match set(&**driver, place, *before).await {
                Ok(()) => {}
                Err(_) => kept.push(format!("{}/{}/{}", place.balancer, place.pool, place.server)),
            }
        }
        Err(match (&*changed, &*kept) {
            ([], _) => failure,
            (_, []) => Failure { message: format!("{}; all others are as they were", failure.message), ..failure },
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

    async fn change_one(
        &self,
        site: &Site,
        place: &Place,
        host: &Host,
        changed: &mut Vec<(Arc<dyn Driver>, Place, Admin)>,
    ) -> Result<(), Failure> {
        let driver = site.balancing.driver(&place.balancer).await?;
        let before = admin_of(&*driver, place).await.map_err(|f| f.on(&host.name))?;
        if before == self.to || (before == Admin::Maint && self.to == Admin::Drain) {
            return Ok(());
        }
        changed.push((driver.clone(), place.clone(), before));
        if before == Admin::Maint && self.to == Admin::Ready {
            // Nobody checks in maintenance, and from there HAProxy sends requests before the first check has passed.
            set(&*driver, place, Admin::Drain).await.map_err(|f| f.on(&host.name))?;
            let balancer = self.fleet.balancers.iter().find(|b| b.name == place.balancer);
            let within = balancer.map_or(SETTLE, |b| b.drain_within);
            checked(&*driver, place, host, within).await?;
        }
        set(&*driver, place, self.to).await.map_err(|f| f.on(&host.name))
    }
}

/// Waits until the balancer's checks of a server pass.
async fn checked(driver: &dyn Driver, place: &Place, host: &Host, within: Duration) -> Result<(), Failure> {
    let until = tokio::time::Instant::now() + within;
    loop {
        let server = server_of(driver, place).await.map_err(|f| f.on(&host.name))?;
        if server.health == Checked::Up {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            let message = format!("host `{host}` is not healthy: its balancer says `{}`; left out", server.raw);
            return Err(Failure::refused(message).on(&host.name));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn admin_of(driver: &dyn Driver, place: &Place) -> Result<Admin, Failure> {
    server_of(driver, place).await.map(|server| server.admin)
}

async fn server_of(driver: &dyn Driver, place: &Place) -> Result<Server, Failure> {
    let servers = driver.list(&place.pool).await?;
    servers.into_iter().find(|s| s.name == place.server).ok_or_else(|| {
        let Place { balancer, pool, server } = place;
        Failure::new(Reason::Balancer, format!("`{balancer}` has no server `{server}` in its pool `{pool}`"))
    })
}

/// Changes and reads back until the balancer shows it.
async fn set(driver: &dyn Driver, place: &Place, to: Admin) -> Result<(), Failure> {
    driver.set_admin(&place.pool, &place.server, to).await?;
    let until = tokio::time::Instant::now() + SETTLE;
    loop {
        let now = admin_of(driver, place).await?;
        if now == to {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            let Place { balancer, pool, server } = place;
            let message =
                format!("`{balancer}` accepted the change but `{pool}/{server}` is still {now:?}").to_lowercase();
            return Err(Failure::new(Reason::Balancer, message));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
