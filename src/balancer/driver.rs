//! What a kind of balancer can be asked and told. Drivers are dumb: waiting, reading back, rules and records are not theirs.
use crate::failure::Failure;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Speaks to one balancer.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Changes whenever the balancer may have forgotten what it was told at run time.
    async fn epoch(&self) -> Result<String, Failure>;

    /// The live state of a pool's servers; never the configuration, never a cache.
    ///
    /// `Balancer` when there is no such pool.
    async fn list(&self, pool: &str) -> Result<Vec<Server>, Failure>;

    /// Asks for one state of one server. It need not wait and need not verify. `Balancer` on any refusal.
    async fn set_admin(&self, pool: &str, server: &str, to: Admin) -> Result<(), Failure>;

    /// Sets a server's weight, in percent of the configured one, which is rounded down.
    async fn set_weight(&self, pool: &str, server: &str, percent: u8) -> Result<(), Failure>;

    /// Cuts what is left on a server. Only when the user said so.
    async fn force_close(&self, pool: &str, server: &str) -> Result<(), Failure>;

    /// What should be looked at before anything is changed; empty when all is well.
    async fn check(&self) -> Result<Vec<String>, Failure>;
}

/// Asks a balancer one thing, as a line, and gives the whole answer.
#[async_trait]
pub trait Socket: Send + Sync {
    async fn ask(&self, line: &str) -> Result<String, Failure>;
}

/// What a server was told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admin {
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
    /// Between the two, such as `UP 1/2`.
    Changing,
    Unknown,
}

/// One server of a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    pub name: String,
    pub admin: Admin,
    pub health: Checked,
    /// Requests and connections that are open or queued.
    pub in_flight: u64,
    pub weight: u32,
    /// The weight that its configuration gives it.
    pub configured: u32,
    /// The balancer's own words.
    pub raw: String,
}

impl Server {
    /// The weight that so many percent of the configured one come to.
    pub fn weighs(&self, percent: u8) -> u32 {
        self.configured * u32::from(percent) / 100
    }

    /// How many percent of the configured weight the weight is, so that they come to it.
    pub fn percent(&self) -> u8 {
        (self.weight * 100).div_ceil(self.configured.max(1)).min(100) as u8
    }
}
