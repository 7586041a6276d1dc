//! The operations of a balancer. Drivers are simple: waiting, verifying, rules and records are up to their callers.
use crate::{failure::Failure, host::Name};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Talks to one balancer.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Returns the live state of the pools' servers at one moment, with its epoch; no configuration, no cache.
    ///
    /// Fails with `Balancer` if there is no such pool.
    async fn state(&self, pools: &[&str]) -> Result<BalancerState, Failure>;

    /// Returns the live state of one pool's servers.
    async fn list(&self, pool: &str) -> Result<Vec<Server>, Failure> {
        let mut state = self.state(&[pool]).await?;
        Ok(state.pools.remove(pool).unwrap_or_default())
    }

    /// Requests an admin state for servers, each given by pool and name, and then reads the pools in `shown`, in one
    /// exchange.
    ///
    /// It needn't wait or verify. If the call fails, rfab can't tell which changes were made.
    async fn set_admin(&self, servers: &[(&str, &str)], to: Admin, shown: &[&str]) -> Result<ChangeAnswer, Failure>;

    /// Sets a server's weight, as a percentage of the configured one, rounded down.
    async fn set_weight(&self, pool: &str, server: &str, percent: u8) -> Result<(), Failure>;

    /// Closes what is still open on a server. Call it only if the user allows it.
    async fn force_close(&self, pool: &str, server: &str) -> Result<(), Failure>;

    /// Lists what is against changing these servers, before the first change; empty if nothing is.
    async fn check(&self, ours: &[ServerPlace]) -> Result<Vec<Finding>, Failure>;
}

/// A host's server in one pool of one balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerPlace {
    pub balancer: Name,
    pub pool: Name,
    pub server: String,
}

impl fmt::Display for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.balancer, self.pool)
    }
}

/// How a balancer answered a change of servers.
#[derive(Debug)]
pub struct ChangeAnswer {
    /// A result for each server: `Balancer` if the change was refused and not made.
    pub results: Vec<Result<(), Failure>>,
    /// The state that it showed after that.
    pub state: Result<BalancerState, Failure>,
}

/// The state of one balancer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalancerState {
    /// Changes when the balancer may have forgotten what it was told.
    pub epoch: String,
    pub pools: BTreeMap<Name, Vec<Server>>,
}

/// A reason against changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// They can't be made. `help` says what to do about it.
    Forbids { message: String, help: String },
    /// They may do harm.
    Warns(String),
}

/// Sends command lines to a balancer.
#[async_trait]
pub trait Socket: Send + Sync {
    /// Sends lines, together if possible, and returns the whole answer to each.
    ///
    /// A line that only reads (`show …`) is sent again if its answer got lost. Other lines never are.
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure>;

    /// Sends one line.
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        let mut answers = self.ask_all(&[line.to_owned()]).await?;
        Ok(answers.pop().unwrap_or_default())
    }
}

/// Returns whether lines change nothing, no matter how often they're sent.
pub fn only_read(lines: &[String]) -> bool {
    lines.iter().all(|line| line.starts_with("show "))
}

/// The administrative state of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
    #[default]
    Ready,
    Drain,
    Maint,
}

/// The result of the balancer's health checks of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checked {
    Up,
    Down,
    /// Up, but its last checks failed, such as `UP 1/2`.
    #[serde(alias = "changing")]
    Falling,
    /// Down, but its last checks passed, such as `DOWN 1/2`.
    Rising,
    /// The server isn't checked, or rfab doesn't know the word.
    Unknown,
}

/// A server of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    pub name: String,
    /// Its effective state: its own, or that of the server that it follows.
    pub admin: Admin,
    /// Its own state. It's only for the moment, so no journal keeps it.
    #[serde(skip)]
    pub own: Admin,
    pub health: Checked,
    /// The number of requests and connections that are open or queued.
    pub in_flight: u64,
    /// The number of requests and connections that it ever got.
    #[serde(default, skip_serializing_if = "is_default")]
    pub total: u64,
    pub weight: u32,
    /// The weight in the balancer's configuration.
    pub configured: u32,
    /// Whether it gets requests only if no other server can.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// Whether it still gets requests from clients that were bound to it before it was drained.
    #[serde(default, skip_serializing_if = "is_default")]
    pub persistent: bool,
    /// Whether its balancer forwards connections without knowledge of requests.
    #[serde(skip)]
    pub tcp: bool,
    /// The server that it follows, as `pool/server`.
    #[serde(skip)]
    pub follows: Option<String>,
    /// The balancer's own words for its health.
    pub raw: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Server {
    /// Builds a server that takes requests, with weight 1 and nothing open.
    pub fn ready(name: &str) -> Server {
        Server {
            name: name.to_owned(),
            admin: Admin::Ready,
            own: Admin::Ready,
            health: Checked::Up,
            in_flight: 0,
            total: 0,
            weight: 1,
            configured: 1,
            backup: false,
            persistent: false,
            tcp: false,
            follows: None,
            raw: "UP".to_owned(),
        }
    }

    /// Returns whether it may get new requests, as far as rfab can tell. `backups` is whether backups are in use.
    pub fn may_serve(&self, backups: bool) -> bool {
        let down = matches!(self.health, Checked::Down | Checked::Rising);
        self.admin == Admin::Ready && !down && self.weight > 0 && (backups || !self.backup)
    }

    /// Returns whether it gets new requests and its checks report that it's fully up.
    pub fn serves(&self, backups: bool) -> bool {
        self.may_serve(backups) && self.health == Checked::Up
    }

    /// Returns whether clients that are bound to it still reach it although it's out.
    pub fn is_reached(&self) -> bool {
        self.persistent && self.admin == Admin::Drain
    }

    /// Returns the weight that is this percentage of the configured one.
    pub fn weighs(&self, percent: u8) -> u32 {
        self.configured * u32::from(percent) / 100
    }

    /// Returns its weight as the percentage of the configured one that `weighs` turns back into it.
    pub fn percent(&self) -> u8 {
        (self.weight * 100).div_ceil(self.configured.max(1)).min(100) as u8
    }
}
