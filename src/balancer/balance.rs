//! The state of every server of a fleet.
use super::places;
use crate::{
    effect::*,
    event::PoolState,
    failure::{Cause, Failure},
    fleet::{Balancer, Fleet},
    host::{Host, Name},
    model::{Model, Predicted},
    port::{Admin, BalancerState, Checked, LATELY, Server},
};
use futures_util::future::{join, try_join_all};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// What the balancers of a fleet report at one moment.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Balance {
    pub balancers: BTreeMap<Name, BalancerState>,
}

impl Balance {
    /// Returns each balancer's epoch, which changes when the balancer may have forgotten what it was told.
    pub fn epochs(&self) -> BTreeMap<Name, String> {
        self.balancers.iter().map(|(name, state)| (name.clone(), state.epoch.clone())).collect()
    }

    /// Returns the servers of a pool; none if the pool doesn't exist.
    pub fn pool(&self, balancer: &str, pool: &str) -> &[Server] {
        self.balancers.get(balancer).and_then(|b| b.pools.get(pool)).map_or(&[], Vec::as_slice)
    }

    /// Returns the first balancer with another epoch than the known one: it may have forgotten what it was told since.
    pub fn reloaded_since(&self, known: &BTreeMap<Name, String>) -> Option<&Name> {
        let other = |(name, state): &(&Name, &BalancerState)| known.get(*name).is_some_and(|was| *was != state.epoch);
        self.balancers.iter().find(other).map(|(name, _)| name)
    }

    /// Returns the servers of a host.
    ///
    /// `Balancer` if a pool lacks the host's server.
    pub fn servers<'a>(&'a self, fleet: &Fleet, host: &Host) -> Result<Vec<&'a Server>, Failure> {
        let find = |place: super::ServerPlace| {
            let pool = self.balancers.get(&place.balancer).and_then(|b| b.pools.get(&place.pool));
            pool.and_then(|pool| pool.iter().find(|s| s.name == place.server)).ok_or_else(|| {
                let message =
                    format!("`{}` has no server `{}` in its pool `{}`", place.balancer, place.server, place.pool);
                Failure::new(crate::failure::Cause::Balancer, message)
                    .on(&host.name)
                    .help(format!("see `server` and `pools` of `[balancer.{}]` in the fleet file", place.balancer))
            })
        };
        places(fleet, host).into_iter().map(find).collect()
    }

    pub fn standing(&self, fleet: &Fleet, host: &Host) -> Result<PoolState, Failure> {
        Ok(standing(&self.servers(fleet, host)?))
    }

    /// Returns the standing of each host of a fleet, in the fleet's order; `None` if a pool lacks the host's server.
    pub fn standings(&self, fleet: &Fleet) -> Vec<Option<PoolState>> {
        let mut pools: BTreeMap<(&str, &str), BTreeMap<&str, &Server>> = BTreeMap::new();
        for (balancer, state) in &self.balancers {
            for (pool, servers) in &state.pools {
                let by_name = servers.iter().map(|server| (&*server.name, server)).collect();
                pools.insert((balancer, pool), by_name);
            }
        }
        let server = |place: &super::ServerPlace| {
            pools.get(&(&*place.balancer, &*place.pool)).and_then(|pool| pool.get(&*place.server)).copied()
        };
        let of = |host| places(fleet, host).iter().map(server).collect::<Option<Vec<_>>>();
        fleet.hosts.iter().map(|host| of(host).map(|servers| standing(&servers))).collect()
    }

    /// Returns how many requests are open on a host.
    pub fn in_flight(&self, fleet: &Fleet, host: &Host) -> Result<u64, Failure> {
        Ok(self.servers(fleet, host)?.iter().map(|s| s.in_flight).sum())
    }

    /// Returns whether every check of a host's servers reports exactly up.
    pub fn up(&self, fleet: &Fleet, host: &Host) -> Result<bool, Failure> {
        Ok(self.servers(fleet, host)?.iter().all(|s| s.health == Checked::Up))
    }
}

fn standing(servers: &[&Server]) -> PoolState {
    match servers.iter().filter(|s| s.admin == Admin::Ready).count() {
        _ if servers.is_empty() => PoolState::None,
        0 => PoolState::Out,
        n if n == servers.len() => PoolState::Live,
        _ => PoolState::Mixed,
    }
}

/// Reads the state of every server on every balancer of a fleet.
#[derive(Clone, Serialize)]
pub struct ReadBalance {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    #[serde(skip)]
    shares: Shares,
    /// Whether it fails if this run doesn't have the fleet's lock.
    #[serde(skip)]
    locked: bool,
}

/// Which reading it may share, if this run has changed nothing since that began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Shares {
    /// None that began before it's asked for.
    #[default]
    New,
    /// One that ended at most half as long ago as it took, and at most 100 ms ago: what a reading reports is about that
    /// old when it arrives.
    JustNow,
    /// One of the last quarter of a second.
    Lately,
}

impl ReadBalance {
    /// Makes a reading that begins after it is asked for.
    pub fn of(fleet: Arc<Fleet>) -> Self {
        Self { fleet, shares: Shares::New, locked: false }
    }

    /// Makes a reading for a script's own questions, which often come together: one that ended a moment ago is as good,
    /// if this run has changed nothing since it began.
    pub fn lately(fleet: Arc<Fleet>) -> Self {
        Self { shares: Shares::Lately, ..Self::of(fleet) }
    }

    /// Makes the reading before a change, which fails with `Unlocked` if the run has lost the fleet's lock.
    ///
    /// The keepers of the lock are asked beside it, and after this reading is asked for.
    pub fn before_change(fleet: Arc<Fleet>) -> Self {
        Self { locked: true, ..Self::of(fleet) }
    }

    /// Makes the reading after a change, or the first one of a wait. No reading that began before the change ended
    /// counts, except the change's own last one.
    pub fn just_now(fleet: Arc<Fleet>) -> Self {
        Self { shares: Shares::JustNow, ..Self::of(fleet) }
    }

    async fn read(&self, at: &At<'_>) -> Result<Balance, Failure> {
        let site = at.real.site(&self.fleet.name);
        let last = match self.shares {
            Shares::New => None,
            Shares::JustNow => site.balance.just_now().await,
            Shares::Lately => site.balance.lately(LATELY).await,
        };
        let all = async {
            let balancers = self.fleet.balancers.iter().filter(|balancer| !balancer.pools.is_empty());
            let states = try_join_all(balancers.map(|balancer| self.state(at, balancer))).await?;
            Ok::<_, Failure>(Balance { balancers: states.into_iter().collect() })
        };
        match last {
            Some(last) => Ok(last),
            None => site.balance.get(all).await,
        }
    }

    async fn state(&self, at: &At<'_>, balancer: &Balancer) -> Result<(Name, BalancerState), Failure> {
        let state = if balancer.by_hand() {
            super::by_hand::state(at, &self.fleet, balancer).await?
        } else {
            let pools: Vec<&str> = balancer.pools.keys().map(|pool| &**pool).collect();
            at.real.site(&self.fleet.name).coordinator.driver(&balancer.name).await?.state(&pools).await?
        };
        Ok((balancer.name.clone(), state))
    }
}

impl Read for ReadBalance {
    type Outcome = Balance;
    const NAME: &'static str = "read_balance";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("read the balancers of {}", self.fleet.name)
    }

    /// Callers that ask while a reading waits for its turn share it, so many callers cost no more than one.
    async fn carry_out(&self, at: At<'_>) -> Result<Balance, Failure> {
        if !self.locked {
            return self.read(&at).await;
        }
        let site = at.real.site(&self.fleet.name);
        let (held, balance) = join(site.coordinator.held(), self.read(&at)).await;
        // The change that needs the lock hasn't begun, so nobody has to find out whether it was done.
        held.map_err(|failure| Failure { cause: Cause::Unlocked, ..failure })?;
        balance
    }

    fn predict(&self, model: &mut Model) -> Predicted<Balance> {
        let mut balance = Balance::default();
        let name = &self.fleet.name;
        for balancer in self.fleet.balancers.iter().filter(|balancer| !balancer.pools.is_empty()) {
            model.machine(&balancer.host)?;
            let epoch = model.epochs.get(&(name.clone(), balancer.name.clone())).copied().unwrap_or_default();
            let mut state = BalancerState { epoch: epoch.to_string(), pools: BTreeMap::new() };
            for (pool, role) in &balancer.pools {
                let mut servers = Vec::new();
                for host in self.fleet.hosts.iter().filter(|h| h.roles.contains(role)) {
                    let at = (name.clone(), balancer.name.clone(), pool.clone(), host.name.clone());
                    let up = model.up(host)?;
                    let Some(server) = model.servers.get(&at) else { continue };
                    let admin = *server.admin.get("the server's state")?;
                    let (health, raw) = match (admin, up) {
                        (Admin::Maint, _) => (Checked::Unknown, "MAINT"),
                        (_, false) => (Checked::Down, "DOWN"),
                        (Admin::Ready, true) => (Checked::Up, "UP"),
                        (Admin::Drain, true) => (Checked::Up, "DRAIN"),
                    };
                    let open = server.open(model.now)?;
                    servers.extend(balancer.servers_of(pool, host).iter().map(|name| Server {
                        admin,
                        own: admin,
                        health,
                        in_flight: open,
                        weight: server.weight,
                        configured: server.configured,
                        backup: server.backup,
                        persistent: server.persistent,
                        raw: raw.to_owned(),
                        ..Server::ready(name)
                    }));
                }
                state.pools.insert(pool.clone(), servers);
            }
            balance.balancers.insert(balancer.name.clone(), state);
        }
        Ok(balance)
    }

    fn learn(&self, outcome: &Balance, model: &mut Model) {
        for host in &self.fleet.hosts {
            for place in places(&self.fleet, host) {
                let pool = outcome.balancers.get(&place.balancer).and_then(|b| b.pools.get(&place.pool));
                let Some(state) = pool.and_then(|p| p.iter().find(|s| s.name == place.server)) else { continue };
                let at = (self.fleet.name.clone(), place.balancer, place.pool, host.name.clone());
                if let Some(server) = model.servers.get_mut(&at) {
                    server.admin.tell(state.admin);
                    server.up.tell(state.health == Checked::Up);
                    server.open.tell(state.in_flight);
                    (server.backup, server.persistent) = (state.backup, state.persistent);
                }
            }
        }
    }
}
