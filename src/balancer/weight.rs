//! Sets how much of a pool's traffic a host gets.
use super::{ReadBalance, places};
use crate::{
    effect::*,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Host,
    model::{Model, Predicted},
    port::{Driver, Server, ServerPlace},
};
use serde::Serialize;
use std::sync::Arc;

/// Sets a host's weight in all its pools, in percent of the configured weight.
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
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    /// A server of weight 0 gets no new requests: that's a drain.
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
        let balance = Effect::carry_out(&ReadBalance::of(self.fleet.clone()), at).await?;
        for (place, server) in places(&self.fleet, &self.host).iter().zip(balance.servers(&self.fleet, &self.host)?) {
            self.possible(place, server)?;
        }
        let site = at.real.site(&self.fleet.name);
        let mut changed: Vec<(Arc<dyn Driver>, ServerPlace, u8)> = Vec::new();
        let mut result = Ok(());
        for (place, server) in
            places(&self.fleet, &self.host).into_iter().zip(balance.servers(&self.fleet, &self.host)?)
        {
            let driver = site.coordinator.driver(&place.balancer).await?;
            changed.push((driver.clone(), place.clone(), server.percent()));
            result = self.change(&*driver, &place, server.weighs(self.percent)).await;
            if result.is_err() {
                break;
            }
        }
        for (driver, place, before) in changed.iter().rev().filter(|_| result.is_err()) {
            // The failure already says what is wrong.
            let _ = driver.set_weight(&place.pool, &place.server, *before).await;
        }
        result
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let balance = Effect::predict(&ReadBalance::of(self.fleet.clone()), model)?;
        for (place, server) in places(&self.fleet, &self.host).iter().zip(balance.servers(&self.fleet, &self.host)?) {
            self.possible(place, server)?;
        }
        for server in model.servers_of(&self.host) {
            server.weight = server.configured * u32::from(self.percent) / 100;
        }
        Ok(())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let balance = ask.read(ReadBalance::of(self.fleet.clone()))?;
        let servers = balance.servers(&self.fleet, &self.host)?;
        let done = servers.iter().all(|s| s.weight == s.weighs(self.percent));
        Ok(if done { Happened::Done(()) } else { Happened::Not })
    }
}

impl SetWeight {
    /// Refuses a share that rounds to zero: that would be a drain that nobody asked for.
    fn possible(
        &self,
        ServerPlace { balancer, pool, server: name }: &ServerPlace,
        server: &Server,
    ) -> Result<(), Failure> {
        if self.percent == 0 || server.weighs(self.percent) > 0 {
            return Ok(());
        }
        let (percent, configured) = (self.percent, server.configured);
        let message = format!("{percent} % of the weight {configured} of `{balancer}/{pool}/{name}` rounds to zero");
        let failure = Failure::new(Cause::Balancer, message).on(&self.host.name);
        Err(failure.help("give its servers a weight such as 100 in the balancer's configuration"))
    }

    /// Sets the weight and reads it back.
    async fn change(&self, driver: &dyn Driver, place: &ServerPlace, wanted: u32) -> Result<(), Failure> {
        driver.set_weight(&place.pool, &place.server, self.percent).await?;
        let servers = driver.list(&place.pool).await?;
        let weight = servers.iter().find(|s| s.name == place.server).map(|s| s.weight);
        if weight == Some(wanted) {
            return Ok(());
        }
        let message = format!("`{}` accepted the weight {wanted} but shows {weight:?}", place.balancer);
        Err(Failure::new(Cause::Balancer, message).on(&self.host.name))
    }
}
