//! Checks hosts again after they were put back.
use super::{Probe, ProbeOnce};
use crate::{
    balancer::ReadBalance,
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Miss, Model, Predicted},
    port::{Checked, Server},
};
use futures_util::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Asks whether hosts still serve: the balancers, and each service as it was probed before.
///
/// A host that doesn't is asked again for a short while, so that one lost response doesn't count.
#[derive(Clone, Serialize)]
pub struct LookAgain {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub hosts: Vec<(Host, Option<Probe>)>,
}

/// A host that has stopped serving.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Down {
    pub host: Name,
    pub why: String,
}

/// How long a host may fail before it counts as down, and how often it's asked.
const PATIENCE: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(250);

impl Read for LookAgain {
    type Outcome = Vec<Down>;
    const NAME: &'static str = "look_again";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        let hosts: Vec<&str> = self.hosts.iter().map(|(host, _)| &*host.name).collect();
        format!("check whether these still serve: {}", hosts.join(", "))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<Down>, Failure> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let down = self.ask(at).await?;
            if down.is_empty() || tokio::time::Instant::now() > until {
                return Ok(down);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<Down>> {
        let mut down = Vec::new();
        for (host, probe) in &self.hosts {
            let answers = match probe {
                Some(probe) => Effect::predict(&ProbeOnce(probe.clone()), model)?,
                None => true,
            };
            if !answers {
                down.push(Down { host: host.name.clone(), why: "it doesn't answer its probe".to_owned() });
            } else if !model.up(host)? {
                down.push(Down { host: host.name.clone(), why: "its balancer reports `DOWN`".to_owned() });
            }
        }
        if !down.is_empty() && model.now < model.began + PATIENCE.as_millis() as u64 {
            return Err(Miss::Later(model.now + EVERY.as_millis() as u64));
        }
        Ok(down)
    }
}

impl LookAgain {
    async fn ask(&self, at: At<'_>) -> Result<Vec<Down>, Failure> {
        let asked = ReadBalance::of(self.fleet.clone());
        let answers = self.hosts.iter().map(|(_, probe)| async move {
            match probe {
                Some(probe) => Effect::carry_out(&ProbeOnce(probe.clone()), at).await,
                None => Ok(true),
            }
        });
        let (balance, answers) = try_join(Effect::carry_out(&asked, at), try_join_all(answers)).await?;
        let mut down = Vec::new();
        for ((host, _), answers) in self.hosts.iter().zip(answers) {
            let servers = balance.servers(&self.fleet, host)?;
            let gone = |s: &&&Server| s.admin == Admin::Ready && matches!(s.health, Checked::Down | Checked::Rising);
            if !answers {
                down.push(Down { host: host.name.clone(), why: "it doesn't answer its probe".to_owned() });
            } else if let Some(server) = servers.iter().find(gone) {
                down.push(Down { host: host.name.clone(), why: format!("its balancer reports `{}`", server.raw) });
            }
        }
        Ok(down)
    }
}
