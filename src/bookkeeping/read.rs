//! Reads the ledger of a fleet.
use crate::ledger::Book;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Name,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Reads the ledger in the state folder of the fleet's first balancer host, else of its first host.
#[derive(Clone, Serialize)]
pub struct ReadLedger {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

/// Returns the home of a fleet's ledger; fails if the fleet has no hosts.
pub fn place(fleet: &Fleet) -> Result<Name, Failure> {
    fleet.home().cloned().ok_or_else(|| Failure::failed("a fleet without hosts has no ledger"))
}

impl Read for ReadLedger {
    type Outcome = Arc<Book>;
    const NAME: &'static str = "read_ledger";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("read the ledger of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Arc<Book>, Failure> {
        let Some(home) = self.fleet.home().cloned() else { return Ok(Arc::default()) };
        at.real.site(&self.fleet.name).coordinator.book(&home).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Arc<Book>> {
        let Some(home) = self.fleet.home().cloned() else { return Ok(Arc::default()) };
        if let Some(balancer) = self.fleet.balancers.iter().find(|b| b.name == home) {
            model.machine(&balancer.host)?;
        }
        Ok(model.state(&self.fleet.name)?.read(&home, |lines, so_far: Option<Arc<Book>>| {
            let mut book = so_far.unwrap_or_default();
            if !lines.is_empty() {
                Arc::make_mut(&mut book).extend(&lines.join("\n"));
            }
            book
        }))
    }
}
