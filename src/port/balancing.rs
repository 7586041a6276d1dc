//! The lock of a fleet, its balancers, and its ledgers.
use super::Driver;
use crate::{failure::Failure, host::Name, ledger::Book};
use async_trait::async_trait;
use std::sync::Arc;

/// Hears a line for people.
pub type Says<'a> = dyn for<'x> Fn(&'x str) + Send + Sync + 'a;

/// How a run waits for a lock that somebody else has.
#[derive(Clone, Copy)]
pub struct Waits<'a> {
    /// Hears who has it.
    pub says: &'a Says<'a>,
    /// Tells when nobody wants to wait any more.
    pub stops: &'a (dyn Fn() -> bool + Send + Sync),
}

/// The lock of a fleet, its balancers, and what is written down in its state folders.
///
/// A fleet without balancers keeps lock and state on its first host in name order.
#[async_trait]
pub trait Balancing: Send + Sync {
    /// Takes the lock on every balancer host, in name order; with `wait`, waits and says who has it.
    ///
    /// `say` hears a way that is not the usual one. `Locked` when another operator holds it, `Interrupted` when the wait
    /// was stopped.
    async fn lock(&self, holder: &Holder, wait: Option<Waits<'_>>, say: &Says<'_>) -> Result<(), Failure>;

    /// Asks each keeper of the lock whether it still holds it.
    ///
    /// `Unknown` when one does not, or does not answer.
    async fn held(&self) -> Result<(), Failure>;

    /// Gives the lock back, if it is held.
    async fn unlock(&self);

    /// Speaks to a balancer: through the keeper while the lock is held.
    async fn driver(&self, balancer: &Name) -> Result<Arc<dyn Driver>, Failure>;

    /// Appends lines to a file of the state folder on a balancer's host, synced. Needs the lock.
    async fn note_all(&self, place: &Name, file: &str, lines: &[&str]) -> Result<(), Failure>;

    /// Appends one line.
    async fn note(&self, place: &Name, file: &str, line: &str) -> Result<(), Failure> {
        self.note_all(place, file, &[line]).await
    }

    /// Reads the ledger of a state folder; empty if it is not there. Under the lock it is read once.
    async fn book(&self, place: &Name) -> Result<Arc<Book>, Failure>;
}

/// Who holds a lock, for people to read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    pub who: String,
    pub from: String,
    pub run: String,
    /// The command line's normal form.
    pub line: String,
    pub since: String,
}
