//! The lock of a fleet, its balancers, and its ledgers.
use super::Driver;
use crate::{failure::Failure, host::Name, ledger::Book};
use async_trait::async_trait;
use std::sync::Arc;

/// Receives a line for people.
pub type NoticeSink<'a> = dyn for<'x> Fn(&'x str) + Send + Sync + 'a;

/// How a run waits for a lock that another run has.
#[derive(Clone, Copy)]
pub struct Waits<'a> {
    /// Receives who holds it.
    pub says: &'a NoticeSink<'a>,
    /// Returns whether to stop waiting.
    pub stops: &'a (dyn Fn() -> bool + Send + Sync),
}

/// The lock of a fleet, its balancers, and its state folders.
///
/// A fleet without balancers keeps its lock and state on its first host by name.
#[async_trait]
pub trait Coordinator: Send + Sync {
    /// Takes the lock on every balancer's host, in the order of their names. With `wait`, it waits and says who has it.
    ///
    /// `say` receives a note if it's done in an unusual way. Fails with `Locked` if another operator holds the lock, or
    /// `Interrupted` if the wait was stopped.
    async fn lock(&self, holder: &Holder, wait: Option<Waits<'_>>, say: &NoticeSink<'_>) -> Result<(), Failure>;

    /// Begins to log in for the lock, beside other work. It takes nothing yet.
    fn foresee(&self) {}

    /// Asks each keeper of the lock whether it still holds it.
    ///
    /// Fails with `Unknown` if one doesn't, or doesn't answer.
    async fn held(&self) -> Result<(), Failure>;

    /// Releases the lock, if it's held.
    async fn unlock(&self);

    /// Returns the driver of a balancer. It goes through the keeper while the lock is held.
    async fn driver(&self, balancer: &Name) -> Result<Arc<dyn Driver>, Failure>;

    /// Appends lines to a file of the state folder on a balancer's host, and syncs it. The lock must be held.
    async fn note_all(&self, place: &Name, file: &str, lines: &[&str]) -> Result<(), Failure>;

    /// Appends one line.
    async fn note(&self, place: &Name, file: &str, line: &str) -> Result<(), Failure> {
        self.note_all(place, file, &[line]).await
    }

    /// Reads the ledger of a state folder; empty if it doesn't exist. While the lock is held, it's read only once.
    async fn book(&self, place: &Name) -> Result<Arc<Book>, Failure>;
}

/// The holder of a lock, for people.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    pub who: String,
    pub from: String,
    pub run: String,
    /// The normal form of the command line.
    pub line: String,
    pub since: String,
}
