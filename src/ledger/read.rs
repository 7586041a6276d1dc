//! Reads what is written down for a fleet.
use super::Book;
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

/// The balancer whose host keeps what is written down once for the fleet; else the first host in name order.
pub fn home(fleet: &Fleet) -> Option<Name> {
    let balancer = fleet.balancers.iter().map(|b| b.name.clone()).min();
    balancer.or_else(|| fleet.hosts.iter().map(|h| h.name.clone()).min())
}

impl Effect for ReadLedger {
    type Outcome = Book;
    const NAME: &'static str = "read_ledger";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("read the ledger of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Book, Failure> {
        let Some(home) = home(&self.fleet) else { return Ok(Book::default()) };
        let site = at.real.site(&self.fleet.name);
        Ok(Book::read(&site.balancing.read(&home, "ledger").await?))
    }

    fn predict(&self, model: &mut Model) -> Predicted<Book> {
        Ok(Book::read(&model.state(&self.fleet.name)?.ledger.join("\n")))
    }
}
