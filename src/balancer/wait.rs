//! Waits for what a balancer shows of a host.
use super::{Balance, ReadBalance, driver::Checked, places};
use crate::{
    effect::*,
    event::What,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::Host,
    model::{Miss, Model, Predicted, Time},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How often a balancer is asked while something is waited for.
const EVERY: Duration = Duration::from_millis(100);

/// Waits until no request is open on a host.
#[derive(Clone, Serialize)]
pub struct WaitDrained {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    /// Milliseconds.
    pub within: Time,
}

impl WaitDrained {
    fn failure(&self, open: u64) -> Failure {
        let requests = if open == 1 { "1 request is".to_owned() } else { format!("{open} requests are") };
        let within = self.within as f64 / 1000.0;
        Failure::failed(format!("host `{}` is not drained: {requests} still open after {within} s", self.host))
            .on(&self.host.name)
            .help("see who is left, or give `drain_within` of the balancer more time")
    }
}

impl Effect for WaitDrained {
    type Outcome = ();
    const NAME: &'static str = "wait_drained";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("wait until no request is open on {}", self.host)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let until = tokio::time::Instant::now() + Duration::from_millis(self.within);
        let (mut most, mut known, mut said) = (0, None, None);
        loop {
            let balance = read(&at, &self.fleet).await?;
            // A balancer that was reloaded does not count the requests that its old process still works on.
            let epochs = balance.epochs();
            if known.get_or_insert_with(|| epochs.clone()) != &epochs {
                let message = format!("a balancer was reloaded or restarted while `{}` was being drained", self.host);
                let help = "it may have forgotten the drain: look at its state, then start again";
                return Err(Failure::new(Reason::Balancer, message).on(&self.host.name).help(help));
            }
            let open = balance.in_flight(&self.fleet, &self.host)?;
            if open == 0 {
                return Ok(());
            }
            if tokio::time::Instant::now() > until {
                return Err(self.failure(open));
            }
            most = open.max(most);
            if said.replace(open) != Some(open) {
                let (host, what) = (self.host.name.clone(), "open requests ended".to_owned());
                at.tell(What::Progressed { host: Some(host), what, done: most - open, total: most, unit: "requests" });
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        if places(&self.fleet, &self.host).is_empty() {
            return Ok(());
        }
        let (now, began) = (model.now, model.began);
        let mut open = 0;
        for server in model.servers_of(&self.host) {
            open += server.open(now)?;
        }
        match open {
            0 => Ok(()),
            _ if now - began >= self.within => Err(self.failure(open).into()),
            _ => Err(Miss::Later(now + 500)),
        }
    }
}

/// Waits until every check of a host's servers says exactly up; a server in maintenance has none.
#[derive(Clone, Serialize)]
pub struct WaitUp {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    /// Milliseconds.
    pub within: Time,
}

impl WaitUp {
    fn failure(&self, said: &str) -> Failure {
        let within = self.within as f64 / 1000.0;
        let message = format!("host `{}` is not up for its balancer after {within} s: it says `{said}`", self.host);
        Failure::failed(message).on(&self.host.name)
    }
}

impl Effect for WaitUp {
    type Outcome = ();
    const NAME: &'static str = "wait_up";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        format!("wait until {} is up for its balancer", self.host)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let until = tokio::time::Instant::now() + Duration::from_millis(self.within);
        loop {
            let balance = read(&at, &self.fleet).await?;
            // Nobody checks in maintenance: there is nothing to wait for.
            let servers = balance.servers(&self.fleet, &self.host)?;
            if servers.iter().all(|s| s.health == Checked::Up || s.admin == Admin::Maint) {
                return Ok(());
            }
            if tokio::time::Instant::now() > until {
                let said: Vec<&str> = servers.iter().map(|s| &*s.raw).collect();
                return Err(self.failure(&said.join(", ")));
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        if places(&self.fleet, &self.host).is_empty() {
            return Ok(());
        }
        match model.up(&self.host)? {
            true => Ok(()),
            false if model.now - model.began >= self.within => Err(self.failure("DOWN").into()),
            false => Err(Miss::Later(model.now + model.inter)),
        }
    }
}

async fn read(at: &At<'_>, fleet: &Arc<Fleet>) -> Result<Balance, Failure> {
    let asked = ReadBalance { fleet: fleet.clone() };
    let reading = Effect::carry_out(&asked, *at);
    match tokio::time::timeout(Duration::from_secs(15), reading).await {
        Ok(balance) => balance,
        Err(_) => Err(Failure::new(Reason::Balancer, format!("the balancers of `{}` do not answer", fleet.name))),
    }
}
