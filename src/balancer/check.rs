//! Checks that balancers accept changes, before anything is changed.
use super::places;
use crate::{
    effect::*,
    event::EventKind,
    failure::Failure,
    fleet::Fleet,
    model::{Model, Predicted},
    port::{Finding, ServerPlace},
};
use serde::Serialize;
use std::sync::Arc;

/// Asks each balancer of a fleet whether it accepts changes.
#[derive(Clone, Serialize)]
pub struct CheckBalancers {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
}

impl Read for CheckBalancers {
    type Outcome = ();
    const NAME: &'static str = "check_balancers";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("check the balancers of {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        let ours: Vec<ServerPlace> = self.fleet.hosts.iter().flat_map(|host| places(&self.fleet, host)).collect();
        let mut messages = Vec::new();
        let mut helps = Vec::new();
        for balancer in self.fleet.balancers.iter().filter(|b| !b.by_hand() && !b.pools.is_empty()) {
            let ours: Vec<ServerPlace> = ours.iter().filter(|place| place.balancer == balancer.name).cloned().collect();
            for finding in site.coordinator.driver(&balancer.name).await?.check(&ours).await? {
                match finding {
                    Finding::Forbids { message, help } => {
                        messages.push(message);
                        helps.push(help);
                    }
                    Finding::Warns(text) => at.tell(EventKind::Warned { host: None, text }),
                }
            }
        }
        let Some(help) = helps.into_iter().next() else { return Ok(()) };
        Err(Failure::refused(messages.join("; ")).help(help))
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for balancer in &self.fleet.balancers {
            model.machine(&balancer.host)?;
        }
        Ok(())
    }
}
