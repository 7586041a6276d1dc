//! The real world: effects are carried out.
use super::threads;
use crate::{
    effect::{Alone, Answered, At, Call, Lane, LaneWork, World},
    event::EventKind,
    failure::Failure,
    fleet::Fleet,
    model::Time,
    port::Real,
};
use std::{sync::Arc, time::Instant};

/// The real world: a runtime, threads, and the parts of each fleet.
pub struct RealWorld {
    pub real: Real,
    runtime: tokio::runtime::Runtime,
    began: Instant,
    held: threads::HeldByThreads,
}

impl RealWorld {
    pub fn new(real: Real, runtime: tokio::runtime::Runtime) -> Self {
        Self { real, runtime, began: Instant::now(), held: threads::HeldByThreads::default() }
    }

    /// Runs something in the background.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(future);
    }

    /// Calls something that needs a runtime around it.
    pub fn within<T>(&self, f: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        f()
    }

    fn forget_balances(&self) {
        self.real.sites().iter().for_each(|site| site.balance.forget());
    }

    fn forget_releases(&self) {
        self.real.sites().iter().for_each(|site| site.releases.forget());
    }

    /// Waits for something on the runtime.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl World for RealWorld {
    fn name(&self) -> &'static str {
        "real"
    }

    fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure> {
        let _runtime = self.runtime.enter();
        self.real.admit(fleet)
    }

    fn perform(&self, call: Call<'_>) -> Answered {
        let at = At { real: &self.real, lane: call.lane, id: call.id(), ledger_writes: call.ledger_writes };
        let lane = call.lane.clone();
        // What was read before a change isn't what is so after it began.
        let changes = call.effect.kind().may_change();
        if changes {
            self.forget_balances();
            self.forget_releases();
        }
        let answered = self.runtime.block_on(call.lane.meter.over(call.effect.carry_out(at)));
        if changes {
            self.forget_releases();
            if !call.effect.reads_back() {
                self.forget_balances();
            }
        }
        for (host, why) in self.real.sites().iter().flat_map(|site| site.transport.fallbacks()) {
            let text = format!("reached by OpenSSH's client, not by rfab's own: {why}");
            lane.tell(EventKind::Warned { host: Some(host), text });
        }
        answered
    }

    fn side_by_side(&self, _: &Arc<Lane>, lanes: Vec<(Arc<Lane>, LaneWork)>, at_once: usize) {
        threads::run(lanes.into_iter().map(|(_, work)| work).collect(), at_once);
    }

    fn alone<'a>(&'a self, _: Call<'a>, what: &str) -> Alone<'a> {
        self.held.alone(what)
    }

    fn now(&self, _: &Lane) -> Time {
        self.began.elapsed().as_millis() as Time
    }
}

#[cfg(test)]
mod tests;
