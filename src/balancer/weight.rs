//! How much of a pool's traffic a host gets.
use super::{ReadBalance, places};
use crate::{
    effect::*,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::Host,
    model::{Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Sets a host's weight in all its pools, in percent of the configured one.
#[derive(Clone, Serialize)]
pub struct SetWeight {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    pub percent: u8,
}

impl Effect for SetWeight {
    type Outcome = ();
    const NAME: &'static str = "set_weight";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    /// A weight of 0 gets no new requests: that is a drain.
    fn touch(&self) -> Touch<'_> {
        let to = if self.percent == 0 { Admin::Drain } else { Admin::Ready };
        match to {
            Admin::Drain => Touch::Admin { hosts: std::slice::from_ref(&self.host), to },
            _ => Touch::Recorded { fleet: &self.fleet.name },
        }
    }

    fn describe(&self) -> String {
        format!("give {} {} % of its weight", self.host, self.percent)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        for place in places(&self.fleet, &self.host) {
            let driver = site.balancing.driver(&place.balancer).await?;
            driver.set_weight(&place.pool, &place.server, self.percent).await?;
            let servers = driver.list(&place.pool).await?;
            let weight = servers.iter().find(|s| s.name == place.server).map(|s| s.weight);
            if weight != Some(u32::from(self.percent)) {
                let message = format!("`{}` accepted the weight but shows {weight:?}", place.balancer);
                return Err(Failure::new(Reason::Balancer, message).on(&self.host.name));
            }
        }
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for place in places(&self.fleet, &self.host) {
            let balancer = self.fleet.balancers.iter().find(|b| b.name == place.balancer);
            balancer.map_or(Ok(()), |b| model.machine(&b.host).map(drop))?;
        }
        for server in model.servers_of(&self.host) {
            server.weight = self.percent.into();
        }
        Ok(())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        let balance = ask.read(ReadBalance { fleet: self.fleet.clone() })?;
        let servers = balance.servers(&self.fleet, &self.host)?;
        let done = servers.iter().all(|s| s.weight == u32::from(self.percent));
        Ok(if done { Seen::Done(()) } else { Seen::Not })
    }
}
