//! Whether balancers can be changed at all, before anything else is.
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Asks each balancer of a fleet whether it would obey.
#[derive(Clone, Serialize)]
pub struct CheckBalancers {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl Effect for CheckBalancers {
    type Outcome = ();
    const NAME: &'static str = "check_balancers";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("check the balancers of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        let mut found = Vec::new();
        for balancer in self.fleet.balancers.iter().filter(|b| !b.by_hand() && !b.pools.is_empty()) {
            found.extend(site.balancing.driver(&balancer.name).await?.check().await?);
        }
        let Some(first) = found.first() else { return Ok(()) };
        let messages: Vec<&str> = found.iter().map(|finding| &*finding.message).collect();
        Err(Failure::refused(messages.join("; ")).help(first.help.clone()))
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for balancer in &self.fleet.balancers {
            model.machine(&balancer.host)?;
        }
        Ok(())
    }
}
