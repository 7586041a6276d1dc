//! Waits until a balancer reports what a run wants of a host.
use super::{Balance, ReadBalance, places};
use crate::{
    duration::limit,
    effect::*,
    event::EventKind,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::Host,
    model::{Miss, Model, Predicted, Time},
    port::{Checked, Server, Spending, SpendingTime},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How often to ask a balancer while waiting; a far one is asked again as soon as it has answered.
const EVERY: Duration = Duration::from_millis(100);

/// How often to ask for a moment without requests: new ones keep coming.
const OFTEN: Duration = Duration::from_millis(20);

/// Waits until no request is open on a host, or until waiting doesn't help.
#[derive(Clone, Serialize)]
pub struct WaitDrained {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
    /// Milliseconds.
    pub within: Time,
}

/// What remains of a drained host's traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Option<Left>")]
pub struct Emptied {
    /// Whether clients that are bound to it still reach it.
    pub bound: bool,
    /// How many requests are open, to be closed or kept off.
    pub open: u64,
}

/// The traffic as journals have it; journals of older runs have none.
#[derive(Deserialize)]
struct Left {
    bound: bool,
    open: u64,
}

impl From<Option<Left>> for Emptied {
    fn from(left: Option<Left>) -> Self {
        left.map_or_else(Emptied::default, |Left { bound, open }| Emptied { bound, open })
    }
}

/// Returns a number of requests, with the verb.
pub(super) fn count(open: u64, is: &str, are: &str) -> String {
    if open == 1 { format!("1 request {is}") } else { format!("{open} requests {are}") }
}

pub(super) fn undrained(host: &Host, open: u64, within: Time) -> Failure {
    let within = limit(Duration::from_millis(within));
    Failure::new(Cause::NotDrained, format!("isn't drained: {} still open after {within}", count(open, "is", "are")))
        .on(&host.name)
        .help(
            "find out who sends these requests, or give the balancer a longer `drain_within`; with `force_close = \
             true` rfab closes them then",
        )
}

impl WaitDrained {
    /// Returns how the wait ends if requests are still open on the host; `None` if it continues.
    fn left(&self, open: u64, bound: bool, tcp: bool, waited: Time) -> Option<Result<Emptied, Failure>> {
        let closes = self.fleet.balancers.iter().any(|balancer| balancer.has(&self.host) && balancer.force_close);
        match open {
            0 => Some(Ok(Emptied { bound, open })),
            // Bound clients keep coming: the second half of the time is for requests that are open when the host is cut
            // off.
            _ if bound && !tcp && waited >= self.within / 2 => Some(Ok(Emptied { bound, open })),
            _ if waited < self.within => None,
            _ if closes => Some(Ok(Emptied { bound, open })),
            _ => Some(Err(undrained(&self.host, open, self.within))),
        }
    }
}

impl Read for WaitDrained {
    type Outcome = Emptied;
    const NAME: &'static str = "wait_drained";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("wait until no request is open on {}", self.host)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Emptied, Failure> {
        let began = Instant::now();
        let mut poll = Poll::default();
        let mut most = 0;
        let mut known = None;
        let mut said = None;
        let mut first: Option<Vec<u64>> = None;
        loop {
            let (asked, balance) = poll.next(&at, &self.fleet).await?;
            // A reloaded balancer doesn't count the requests that its old process still works on.
            let epochs = balance.epochs();
            if known.get_or_insert_with(|| epochs.clone()) != &epochs {
                let message = "a balancer was reloaded or restarted while it was being drained";
                let help = "it may have forgotten the drain: check the hosts' state, then type the line again";
                return Err(Failure::new(Cause::Balancer, message).on(&self.host.name).help(help));
            }
            let servers = balance.servers(&self.fleet, &self.host)?;
            let open = servers.iter().map(|s| s.in_flight).sum();
            // A request that waits in the queue at first is counted later.
            let before = first.get_or_insert_with(|| servers.iter().map(|s| s.total + s.in_flight).collect());
            let comes = |(s, before): (&&Server, &u64)| s.admin == Admin::Drain && s.total > *before;
            let bound = servers.iter().any(|s| s.is_reached()) || servers.iter().zip(&*before).any(comes);
            let tcp = servers.iter().any(|s| s.tcp);
            if let Some(ended) = self.left(open, bound, tcp, began.elapsed().as_millis() as Time) {
                return ended;
            }
            most = open.max(most);
            if said.replace(open) != Some(open) {
                let (host, what) = (self.host.name.clone(), "open requests ended".to_owned());
                at.tell(EventKind::Progressed {
                    host: Some(host),
                    what,
                    done: most - open,
                    total: most,
                    unit: "requests",
                });
            }
            sleep_until(asked + if bound { OFTEN } else { EVERY }).await;
        }
    }

    fn predict(&self, model: &mut Model) -> Predicted<Emptied> {
        if places(&self.fleet, &self.host).is_empty() {
            return Ok(Emptied::default());
        }
        let (now, began) = (model.now, model.began);
        let mut open = 0;
        let mut bound = false;
        for server in model.servers_of(&self.host) {
            open += server.open(now)?;
            bound |= server.persistent && *server.admin.get("its state")? == Admin::Drain;
        }
        match self.left(open, bound, false, now - began) {
            Some(Ok(emptied)) => Ok(emptied),
            Some(Err(failure)) => Err(failure.into()),
            None => Err(Miss::Later(now + 500)),
        }
    }
}

/// Waits until every check of a host's servers reports exactly up; a server in maintenance has no checks.
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
        let within = limit(Duration::from_millis(self.within));
        let message = format!("isn't up for its balancer after {within}: it reports `{said}`");
        Failure::failed(message).on(&self.host.name)
    }
}

impl Read for WaitUp {
    type Outcome = ();
    const NAME: &'static str = "wait_up";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("wait until {} is up for its balancer", self.host)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let until = Instant::now() + Duration::from_millis(self.within);
        let mut poll = Poll::default();
        loop {
            let (asked, balance) = poll.next(&at, &self.fleet).await?;
            // A server in maintenance has no checks to wait for.
            let servers = balance.servers(&self.fleet, &self.host)?;
            if servers.iter().all(|s| s.health == Checked::Up || s.admin == Admin::Maint) {
                return Ok(());
            }
            if Instant::now() > until {
                let said: Vec<&str> = servers.iter().map(|s| &*s.raw).collect();
                return Err(self.failure(&said.join(", ")));
            }
            sleep_until(asked + EVERY).await;
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

/// Readings of the balancers, one after the other.
#[derive(Default)]
struct Poll {
    asked: bool,
    /// What follows the first reading is waiting, as the fleet file demands.
    waits: Option<SpendingTime>,
}

impl Poll {
    /// Returns the next reading, and when it was asked for. Each question has a time limit; the wait for a turn has none.
    ///
    /// The first one may be one that ended just now. The others are new.
    async fn next(&mut self, at: &At<'_>, fleet: &Arc<Fleet>) -> Result<(Instant, Balance), Failure> {
        let first = !std::mem::replace(&mut self.asked, true);
        if !first {
            self.waits.get_or_insert_with(|| SpendingTime::on(Spending::Demanded));
        }
        let fleet = fleet.clone();
        let read = if first { ReadBalance::just_now(fleet) } else { ReadBalance::of(fleet) };
        Ok((Instant::now(), Effect::carry_out(&read, *at).await?))
    }
}
