//! What a kind of balancer can be asked and told. Drivers are dumb: waiting, reading back, rules and records are not theirs.
use crate::{failure::Failure, host::Name};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Speaks to one balancer.
#[async_trait]
pub trait Driver: Send + Sync {
    /// The live state of the servers of pools, all of one moment and with its epoch; never the configuration, never a cache.
    ///
    /// `Balancer` when there is no such pool.
    async fn state(&self, pools: &[&str]) -> Result<BalancerState, Failure>;

    /// The live state of one pool's servers.
    async fn list(&self, pool: &str) -> Result<Vec<Server>, Failure> {
        let mut state = self.state(&[pool]).await?;
        Ok(state.pools.remove(pool).unwrap_or_default())
    }

    /// Asks for one state of servers, each named by its pool and its name, and gives an answer for each.
    ///
    /// It need not wait and need not verify. An answer is `Balancer` where a change is refused, and wasn't made. If the
    /// call fails, nobody can tell which changes were made.
    async fn set_admin(&self, servers: &[(&str, &str)], to: Admin) -> Result<Vec<Result<(), Failure>>, Failure>;

    /// Sets a server's weight, in percent of the configured one, which is rounded down.
    async fn set_weight(&self, pool: &str, server: &str, percent: u8) -> Result<(), Failure>;

    /// Cuts what is left on a server. Only when the user said so.
    async fn force_close(&self, pool: &str, server: &str) -> Result<(), Failure>;

    /// What stands against changes of these servers, before anything is changed. Empty when all is well.
    async fn check(&self, ours: &[ServerPlace]) -> Result<Vec<Finding>, Failure>;
}

/// A host as a server of one pool of one balancer.
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

/// What one balancer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalancerState {
    /// Changes when it may have forgotten what it was told.
    pub epoch: String,
    pub pools: BTreeMap<Name, Vec<Server>>,
}

/// Something that stands against changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// They cannot be made; with what to do about it.
    Forbids { message: String, help: String },
    /// They may hurt.
    Warns(String),
}

/// Asks a balancer, by lines.
#[async_trait]
pub trait Socket: Send + Sync {
    /// Says lines, at once where that can be, and gives the whole answer to each.
    ///
    /// Lines that only read, `show …`, are said again where an answer got lost; others never.
    async fn ask_all(&self, lines: &[String]) -> Result<Vec<String>, Failure>;

    /// Says one line.
    async fn ask(&self, line: &str) -> Result<String, Failure> {
        let mut answers = self.ask_all(&[line.to_owned()]).await?;
        Ok(answers.pop().unwrap_or_default())
    }
}

/// Whether lines change nothing, whoever hears them, and however often.
pub fn only_read(lines: &[String]) -> bool {
    lines.iter().all(|line| line.starts_with("show "))
}

/// What a server was told to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
    #[default]
    Ready,
    Drain,
    Maint,
}

/// What the balancer's checks say of a server.
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
    /// Nobody checks, or the word isn't known.
    Unknown,
}

/// One server of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    pub name: String,
    /// What it is: as it was told itself, or as the server was that it follows.
    pub admin: Admin,
    /// What it was told itself. Of the moment: no journal keeps it.
    #[serde(skip)]
    pub own: Admin,
    pub health: Checked,
    /// Requests and connections that are open or queued.
    pub in_flight: u64,
    /// Requests and connections that it was ever given.
    #[serde(default, skip_serializing_if = "is_default")]
    pub total: u64,
    pub weight: u32,
    /// The weight that its configuration gives it.
    pub configured: u32,
    /// Whether it gets requests only while no other server can.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// Whether it still gets requests of clients that were bound to it before it was drained.
    #[serde(default, skip_serializing_if = "is_default")]
    pub persistent: bool,
    /// Whether its balancer passes on connections, and knows nothing of requests.
    #[serde(skip)]
    pub tcp: bool,
    /// The server that it follows, as `pool/server`.
    #[serde(skip)]
    pub follows: Option<String>,
    /// The balancer's own words.
    pub raw: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Server {
    /// A server that takes requests, with one weight, and nothing open.
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

    /// Whether new requests may come to it, as far as anybody knows. `backups` says whether backups are in use.
    pub fn may_serve(&self, backups: bool) -> bool {
        let down = matches!(self.health, Checked::Down | Checked::Rising);
        self.admin == Admin::Ready && !down && self.weight > 0 && (backups || !self.backup)
    }

    /// Whether it gets new requests and its checks say exactly up.
    pub fn serves(&self, backups: bool) -> bool {
        self.may_serve(backups) && self.health == Checked::Up
    }

    /// Whether clients that are bound to it still reach it, although it is out.
    pub fn is_reached(&self) -> bool {
        self.persistent && self.admin == Admin::Drain
    }

    /// The weight that so many percent of the configured one come to.
    pub fn weighs(&self, percent: u8) -> u32 {
        self.configured * u32::from(percent) / 100
    }

    /// How many percent of the configured weight the weight is, so that they come to it.
    pub fn percent(&self) -> u8 {
        (self.weight * 100).div_ceil(self.configured.max(1)).min(100) as u8
    }
}
