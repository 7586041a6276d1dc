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
fn home(fleet: &Fleet) -> Option<Name> {
    let balancer = fleet.balancers.iter().map(|b| b.name.clone()).min();
    balancer.or_else(|| fleet.hosts.iter().map(|h| h.name.clone()).min())
}

/// The home of a fleet's ledger, as a must.
pub fn place(fleet: &Fleet) -> Result<Name, Failure> {
    home(fleet).ok_or_else(|| Failure::failed("a fleet without hosts has no ledger"))
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
        let Some(home) = home(&self.fleet) else { return Ok(Book::default()) };
        if let Some(balancer) = self.fleet.balancers.iter().find(|b| b.name == home) {
            model.machine(&balancer.host)?;
        }
        let ledgers = &model.state(&self.fleet.name)?.ledgers;
        Ok(Book::read(&ledgers.get(&home).map(|lines| lines.join("\n")).unwrap_or_default()))
    }
}
