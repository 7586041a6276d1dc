//! Servers that are about to change on their balancers, and how they are told.
use crate::{
    effect::{Admin, At},
    event::EventKind,
    failure::{Cause, Failure},
    host::{Host, Name},
    port::{BalancerState, ChangeAnswer, Checked, Driver, Server, ServerPlace},
};
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How long a balancer may take to show what it was told.
pub(super) const SETTLE: Duration = Duration::from_secs(5);

/// Returns the refusal to put back a host that its balancer reports as unhealthy.
pub fn unhealthy(host: &Host, said: &str) -> Failure {
    Failure::refused(format!("isn't healthy, so rfab leaves it out: its balancer reports `{said}`")).on(&host.name)
}

/// A server to change, and what it was told before.
#[derive(Clone)]
pub(super) struct MeantServer<'a> {
    pub driver: Arc<dyn Driver>,
    pub place: ServerPlace,
    pub host: &'a Host,
    pub before: Admin,
}

impl MeantServer<'_> {
    /// Warns about a server that is ready but stays out: the server that it follows is out, or its name doesn't
    /// resolve.
    pub(super) fn say_what_holds(&self, at: &At<'_>, now: &ServersNow) -> Result<(), Failure> {
        let host = &self.host.name;
        let server = now.of_server(self)?;
        if server.admin != Admin::Ready {
            let ServerPlace { balancer, pool, server: name } = &self.place;
            let because = match &server.follows {
                Some(other) => format!("it tracks `{other}`, which is out"),
                None => format!("`{balancer}` reports `{}`", server.raw),
            };
            let text = format!("`{pool}/{name}` on `{balancer}` was put back, but gets no requests: {because}");
            at.tell(EventKind::Warned { host: Some(host.clone()), text });
        }
        Ok(())
    }
}

/// The servers of one balancer, out of several.
type BalancerServers<'s, 'a> = Vec<&'s MeantServer<'a>>;

/// Groups servers by their balancers.
fn by_balancer<'s, 'a>(servers: &'s [MeantServer<'a>]) -> BTreeMap<&'s Name, BalancerServers<'s, 'a>> {
    let mut all: BTreeMap<&Name, BalancerServers> = BTreeMap::new();
    for server in servers {
        all.entry(&server.place.balancer).or_default().push(server);
    }
    all
}

/// Sets the state of servers, which are some of `all`, on all balancers at the same time. Adds those that changed, or
/// may have, to `changed`, and returns the state of all after that.
pub(super) async fn tell<'a>(
    servers: &[MeantServer<'a>],
    to: Admin,
    all: &[MeantServer<'a>],
    changed: &mut Vec<MeantServer<'a>>,
) -> Result<ServersNow, Failure> {
    let moving = by_balancer(servers);
    let told = by_balancer(all).into_iter().map(async |(balancer, all): (&Name, BalancerServers<'_, 'a>)| {
        let ours = moving.get(balancer).cloned().unwrap_or_default();
        let names: Vec<(&str, &str)> = ours.iter().map(|s| (&*s.place.pool, &*s.place.server)).collect();
        (balancer, all[0].driver.set_admin(&names, to, &pools(&all)).await, all[0].host, ours)
    });
    let (mut result, mut states) = (Ok(()), BTreeMap::new());
    for (balancer, told, first, ours) in join_all(told).await {
        match told {
            Ok(ChangeAnswer { results, state }) => {
                for (server, answer) in ours.into_iter().zip(results) {
                    match answer {
                        Ok(()) => changed.push(server.clone()),
                        Err(failure) => result = result.and(Err(failure.on(&server.host.name))),
                    }
                }
                match state {
                    Ok(state) => drop(states.insert(balancer.clone(), state)),
                    Err(failure) => result = result.and(Err(failure.on(&first.name))),
                }
            }
            Err(failure) => {
                result = result.and(Err(failure.on(&first.name)));
                changed.extend(ours.into_iter().cloned());
            }
        }
    }
    result.map(|()| ServersNow(states))
}

/// Returns the pools of servers on one balancer, each once.
fn pools<'s>(ours: &BalancerServers<'s, '_>) -> Vec<&'s str> {
    let pools: BTreeSet<&str> = ours.iter().map(|server| &*server.place.pool).collect();
    pools.into_iter().collect()
}

/// The state of all servers of some pools at one moment.
pub(super) struct ServersNow(BTreeMap<Name, BalancerState>);

impl ServersNow {
    /// Asks the balancers about the pools of these servers, all at the same time.
    pub(super) async fn of(servers: &[MeantServer<'_>]) -> Result<ServersNow, Failure> {
        let asked = by_balancer(servers).into_iter().map(async |(balancer, ours): (&Name, BalancerServers<'_, '_>)| {
            let state = ours[0].driver.state(&pools(&ours)).await.map_err(|f| f.on(&ours[0].host.name))?;
            Ok((balancer.clone(), state))
        });
        let states: Result<BTreeMap<Name, BalancerState>, Failure> = join_all(asked).await.into_iter().collect();
        states.map(ServersNow)
    }

    pub(super) fn of_server(&self, server: &MeantServer<'_>) -> Result<&Server, Failure> {
        let place = &server.place;
        let pool = self.0.get(&place.balancer).and_then(|state| state.pools.get(&*place.pool));
        let found = pool.and_then(|servers| servers.iter().find(|known| known.name == place.server));
        found.ok_or_else(|| unknown(place).on(&server.host.name))
    }
}

/// Waits until balancers show the state of the servers in `told`, which are some of `all`; returns the state of all.
///
/// `states` is what they showed when they were told.
pub(super) async fn shown(
    all: &[MeantServer<'_>],
    told: &[MeantServer<'_>],
    to: Admin,
    mut states: ServersNow,
) -> Result<ServersNow, Failure> {
    let until = tokio::time::Instant::now() + SETTLE;
    loop {
        let mut late = None;
        for server in told {
            let now = states.of_server(server)?.own;
            if now != to {
                late = Some((server, now));
                break;
            }
        }
        let Some((server, now)) = late else { return Ok(states) };
        if tokio::time::Instant::now() > until {
            return Err(not_taken(&server.place, now).on(&server.host.name));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        states = ServersNow::of(all).await?;
    }
}

/// Waits until the balancers' checks of servers pass.
pub(super) async fn checked(
    servers: &[MeantServer<'_>],
    within: impl Fn(&MeantServer<'_>) -> Duration,
) -> Result<(), Failure> {
    let began = tokio::time::Instant::now();
    loop {
        let states = ServersNow::of(servers).await?;
        let mut waits = false;
        for one in servers {
            let server = states.of_server(one)?;
            // A server that follows one in maintenance isn't checked either.
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

pub(super) async fn server_of(driver: &dyn Driver, place: &ServerPlace) -> Result<Server, Failure> {
    found(driver.list(&place.pool).await?, place)
}

fn found(servers: Vec<Server>, place: &ServerPlace) -> Result<Server, Failure> {
    servers.into_iter().find(|s| s.name == place.server).ok_or_else(|| unknown(place))
}

fn not_taken(ServerPlace { balancer, pool, server }: &ServerPlace, now: Admin) -> Failure {
    let message = format!("`{balancer}` accepted the change, but `{pool}/{server}` is still {now:?}").to_lowercase();
    Failure::new(Cause::Balancer, message)
}

pub(super) fn unknown(ServerPlace { balancer, pool, server }: &ServerPlace) -> Failure {
    Failure::new(Cause::Balancer, format!("`{balancer}` has no server `{server}` in its pool `{pool}`"))
}

/// Sets a server's state, and reads it back until the balancer shows it.
pub(super) async fn set(driver: &dyn Driver, place: &ServerPlace, to: Admin) -> Result<(), Failure> {
    let ChangeAnswer { results, state } = driver.set_admin(&[(&place.pool, &place.server)], to, &[&place.pool]).await?;
    results.into_iter().collect::<Result<(), Failure>>()?;
    let mut servers = state?.pools.remove(&place.pool).unwrap_or_default();
    let until = tokio::time::Instant::now() + SETTLE;
    loop {
        // What it was told itself: the state of a server that it follows can't be changed on this one.
        let now = found(servers, place)?.own;
        if now == to {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            return Err(not_taken(place, now));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        servers = driver.list(&place.pool).await?;
    }
}
