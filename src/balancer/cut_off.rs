//! Keeps off clients that a cookie or a stick table binds to a drained host: HAProxy gives it their requests until it
//! is in maintenance.
use super::{
    meant_server::{server_of, set},
    places,
    wait::undrained,
};
use crate::{
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Host,
    model::{Miss, Model, Predicted, Time},
    port::{Driver, Server, ServerPlace, Spending, SpendingTime},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How often to ask a balancer for a moment without open requests.
const OFTEN: Duration = Duration::from_millis(10);
/// How long to wait for that moment. A request that is open in maintenance ends like any other, unless the server has
/// `on-marked-down shutdown-sessions`.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a server must get no requests to count as shut.
const QUIET: Duration = Duration::from_millis(150);
/// How long closed connections may take to disappear.
const CLOSING: Duration = Duration::from_secs(5);

/// Makes a drained host take no requests at all, and waits until none is open.
///
/// Returns the places of the servers that went from drain to maintenance.
#[derive(Clone, Serialize)]
pub struct CutOff {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    /// Whether clients are bound to it; if not, only open requests are closed.
    pub bound: bool,
    /// Milliseconds.
    pub within: Time,
}

/// The driver for a server, and the server's place.
type Asked = (Arc<dyn Driver>, ServerPlace);

impl Effect for CutOff {
    type Outcome = Vec<ServerPlace>;
    const NAME: &'static str = "cut_off";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        if self.bound {
            format!("keep sticky clients off {}", self.host)
        } else {
            format!("close the requests still open on {}", self.host)
        }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<ServerPlace>, Failure> {
        let began = tokio::time::Instant::now();
        let until = began + Duration::from_millis(self.within);
        let patience = began + PATIENCE.min(Duration::from_millis(self.within / 2));
        let all = drivers(&at, &self.fleet, &self.host).await?;
        let _time = SpendingTime::on(Spending::Demanded);
        let mut shut = Vec::new();
        let mut closed = false;
        loop {
            let mut open = 0;
            let mut waits = false;
            for (driver, place) in &all {
                let server = self.seen(&**driver, place).await?;
                open += server.in_flight;
                let now = tokio::time::Instant::now();
                // Maintenance may cut connections of `mode tcp`, so such a server must have none.
                let may = server.in_flight == 0 || (now > patience && !server.tcp);
                if self.bound && server.own == Admin::Drain {
                    // A client may come between the reading and the change; only the next reading shows its request.
                    waits = true;
                    if may {
                        set(&**driver, place, Admin::Maint).await.map_err(|f| f.on(&self.host.name))?;
                        shut.push(place.clone());
                    }
                }
            }
            if open == 0 && !waits && self.is_quiet(&all).await? {
                return Ok(shut);
            }
            if tokio::time::Instant::now() > until + if closed { CLOSING } else { Duration::ZERO } {
                if closed || !self.close(&at, &all).await? {
                    return Err(undrained(&self.host, open, self.within));
                }
                closed = true;
            }
            tokio::time::sleep(OFTEN).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<ServerPlace>> {
        let (now, began) = (model.now, model.began);
        let mut open = 0;
        for server in model.servers_of(&self.host) {
            open += server.open(now)?;
        }
        if open > 0 && now - began < self.within {
            return Err(Miss::Later(now + 500));
        }
        let mut shut = Vec::new();
        for place in places(&self.fleet, &self.host) {
            let at = (self.fleet.name.clone(), place.balancer.clone(), place.pool.clone(), self.host.name.clone());
            let Some(server) = model.servers.get_mut(&at) else { continue };
            if self.bound && *server.admin.get("the server's state")? == Admin::Drain {
                server.admin.predict(Admin::Maint);
                shut.push(place);
            }
        }
        if open > 0 && !self.fleet.balancers.iter().any(|balancer| balancer.force_close) {
            return Err(undrained(&self.host, open, self.within).into());
        }
        if open > 0 {
            model.servers_of(&self.host).for_each(|server| server.open.predict(0));
        }
        Ok(shut)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Vec<ServerPlace>>, Failure> {
        let balance = ask.read(super::ReadBalance::of(self.fleet.clone()))?;
        let servers = balance.servers(&self.fleet, &self.host)?;
        let done = servers.iter().all(|s| s.in_flight == 0 && (!self.bound || s.admin == Admin::Maint));
        Ok(if done { Happened::Done(places(&self.fleet, &self.host)) } else { Happened::Not })
    }
}

impl CutOff {
    /// Reads a server, which must still be out: its balancer may have forgotten the drain.
    async fn seen(&self, driver: &dyn Driver, place: &ServerPlace) -> Result<Server, Failure> {
        let server = server_of(driver, place).await.map_err(|f| f.on(&self.host.name))?;
        if server.admin == Admin::Ready {
            let ServerPlace { balancer, pool, server } = place;
            let message = format!("`{pool}/{server}` on `{balancer}` is ready again: somebody put it back");
            return Err(Failure::new(Cause::Balancer, message).on(&self.host.name));
        }
        Ok(server)
    }

    /// Checks that no requests come for a moment: `option persist` and `force-persist` ignore maintenance.
    async fn is_quiet(&self, all: &[Asked]) -> Result<bool, Failure> {
        if !self.bound {
            return Ok(true);
        }
        let before = self.totals(all).await?;
        tokio::time::sleep(QUIET).await;
        for ((_, place), (before, after)) in all.iter().zip(before.into_iter().zip(self.totals(all).await?)) {
            if after > before {
                let ServerPlace { balancer, pool, server } = place;
                let message =
                    format!("`{pool}/{server}` on `{balancer}` gets requests even though it's in maintenance");
                let help = "look for `option persist`, `force-persist` and `use-server` in its backend: they send \
                            clients to a server that is out. Nothing was changed on the host";
                return Err(Failure::failed(message).on(&self.host.name).help(help));
            }
        }
        Ok(true)
    }

    async fn totals(&self, all: &[Asked]) -> Result<Vec<u64>, Failure> {
        let mut totals = Vec::new();
        for (driver, place) in all {
            totals.push(self.seen(&**driver, place).await?.total);
        }
        Ok(totals)
    }

    /// Closes open requests where the fleet file allows it; returns whether it allows it anywhere.
    async fn close(&self, at: &At<'_>, all: &[Asked]) -> Result<bool, Failure> {
        let mut cut = 0;
        let mut may = false;
        for (driver, place) in all {
            if !self.fleet.balancer(&place.balancer).is_some_and(|balancer| balancer.force_close) {
                continue;
            }
            may = true;
            let server = self.seen(&**driver, place).await?;
            if self.bound && server.own == Admin::Drain {
                continue;
            }
            cut += server.in_flight;
            driver.force_close(&place.pool, &place.server).await.map_err(|f| f.on(&self.host.name))?;
        }
        if may {
            let requests = if cut == 1 { "1 open request".to_owned() } else { format!("{cut} open requests") };
            let text = format!("closed {requests} of `{}`, as `force_close` says", self.host);
            at.tell(EventKind::Warned { host: Some(self.host.name.clone()), text });
        }
        Ok(may)
    }
}

/// Puts servers back from maintenance to drain: their checks run again, and the clients that are bound to them come
/// back.
#[derive(Clone, Serialize)]
pub struct Reopen {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    /// The places that [`CutOff`] returned.
    pub places: Vec<ServerPlace>,
}

impl Effect for Reopen {
    type Outcome = ();
    const NAME: &'static str = "reopen";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        format!("drain {} again", self.host)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let all = drivers(&at, &self.fleet, &self.host).await?;
        for (driver, place) in all.iter().filter(|(_, place)| self.places.contains(place)) {
            let server = server_of(&**driver, place).await.map_err(|f| f.on(&self.host.name))?;
            if server.own == Admin::Maint {
                set(&**driver, place, Admin::Drain).await.map_err(|f| f.on(&self.host.name))?;
            }
        }
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for place in &self.places {
            let at = (self.fleet.name.clone(), place.balancer.clone(), place.pool.clone(), self.host.name.clone());
            if let Some(server) = model.servers.get_mut(&at)
                && *server.admin.get("the server's state")? == Admin::Maint
            {
                server.admin.predict(Admin::Drain);
            }
        }
        Ok(())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let balance = ask.read(super::ReadBalance::of(self.fleet.clone()))?;
        let mine = places(&self.fleet, &self.host).into_iter().zip(balance.servers(&self.fleet, &self.host)?);
        let mut mine = mine.filter(|(place, _)| self.places.contains(place));
        Ok(if mine.all(|(_, server)| server.admin != Admin::Maint) { Happened::Done(()) } else { Happened::Not })
    }
}

/// Returns the drivers and places of a host, except those that a person changes.
async fn drivers(at: &At<'_>, fleet: &Fleet, host: &Host) -> Result<Vec<Asked>, Failure> {
    let site = at.real.site(&fleet.name);
    let mut all = Vec::new();
    for place in places(fleet, host) {
        if !fleet.balancer(&place.balancer).is_some_and(|balancer| balancer.by_hand()) {
            all.push((site.coordinator.driver(&place.balancer).await?, place));
        }
    }
    Ok(all)
}
