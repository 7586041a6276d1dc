//! Connections to hosts, opened once and in parallel.
use crate::{
    effect::*,
    event::EventKind,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    model::{Miss, Model, Predicted},
    port::{Spending, SpendingTime},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Opens a connection to each host; an unreachable host fails only the work that needs it.
#[derive(Clone, Serialize)]
pub struct Connect {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub hosts: Vec<Host>,
    /// The most connections that are opened at the same time.
    pub at_once: usize,
    /// Whether the run will take the fleet's lock.
    #[serde(skip)]
    pub changes: bool,
    /// Whether the run will do no more than one thing on each of the hosts.
    #[serde(skip)]
    pub single: bool,
}

/// The hosts that couldn't be reached, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    pub unreachable: BTreeMap<Name, Failure>,
}

impl Effect for Connect {
    type Outcome = Connected;
    const NAME: &'static str = "connect";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        match self.hosts.len() {
            1 => "connect to 1 host".to_owned(),
            n => format!("connect to {n} hosts"),
        }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Connected, Failure> {
        let _time = SpendingTime::on(Spending::Network);
        let site = at.real.site(&self.fleet.name);
        if self.changes {
            site.coordinator.foresee();
        }
        // The ledger and the lock are on one of the hosts, so there it isn't the only one.
        for host in self.hosts.iter().filter(|host| self.single && self.fleet.home() != Some(&host.name)) {
            site.transport.expect_single(host);
        }
        let (mut opening, mut connected) = (tokio::task::JoinSet::new(), Connected::default());
        let mut hosts = self.hosts.iter().cloned();
        loop {
            while opening.len() < self.at_once.max(1)
                && let Some(host) = hosts.next()
            {
                let transport = site.transport.clone();
                opening.spawn(async move { (host.name.clone(), transport.connect(&host).await) });
            }
            match opening.join_next().await {
                None => break,
                Some(Ok((host, Err(failure)))) => {
                    at.tell(EventKind::HostUnreachable { host: host.clone(), message: failure.message.clone() });
                    connected.unreachable.insert(host, failure);
                }
                Some(Ok((host, Ok(())))) => {
                    // The first reading of a balancer then finds its socket forwarded.
                    let theirs = self.fleet.balancers.iter().filter(|balancer| balancer.host.name == host);
                    for name in theirs.filter(|balancer| !balancer.by_hand()).map(|balancer| balancer.name.clone()) {
                        let site = site.clone();
                        tokio::spawn(async move { drop(site.coordinator.driver(&name).await) });
                    }
                }
                Some(Err(e)) => return Err(Failure::unknown(format!("a connection didn't finish: {e}"))),
            }
        }
        Ok(connected)
    }

    fn predict(&self, model: &mut Model) -> Predicted<Connected> {
        let mut connected = Connected::default();
        for host in &self.hosts {
            if let Err(Miss::Fails(failure)) = model.machine(host).map(drop) {
                connected.unreachable.insert(host.name.clone(), failure);
            }
        }
        Ok(connected)
    }
}
