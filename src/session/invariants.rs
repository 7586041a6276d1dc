//! Checks the invariants that no script may break; reads the state again before each change.
use super::{
    InnerLayers, Layer, Observed, OutReason, Reader, Run, Stop, capacity::enough_live, ours, proof, served::served,
    settled, standings,
};
use crate::{
    balancer::{Balance, ReadBalance, SetAdmin, places},
    bookkeeping::ReadLedger,
    effect::{Admin, Answered, AnyEffect, Call, Fleets, Touch},
    event::{EventKind, PoolState},
    failure::{Cause, Failure, Reason},
    fleet::Fleet,
    host::Host,
};
use std::sync::Arc;

/// The layer that refuses changes which would break an invariant.
pub(super) struct Invariants {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    observed: Arc<Observed>,
    stopped: Arc<Stop>,
}

/// Returns whether this layer reads the balancers of a fleet before an effect, and checks then that the lock is held.
pub(super) fn reads_before(effect: &dyn AnyEffect, fleet: &Fleet) -> bool {
    let reads = match effect.touch() {
        Touch::Admin { .. } => true,
        Touch::Served { .. } => !fleet.deploy_live,
        _ => false,
    };
    reads && !fleet.balancers.is_empty()
}

impl Layer for Invariants {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered {
        let touch = call.effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return rest.pass(call) };
        if fleet.balancers.is_empty() {
            return rest.pass(call);
        }
        match touch {
            Touch::Admin { hosts, to: Admin::Drain | Admin::Maint } => {
                if call.effect.as_any().is::<SetAdmin>() {
                    self.settled(&fleet, hosts, call, rest)?;
                }
                // No other lane of this run may change the balancer between the check and the change.
                let _alone = rest.world().alone(call, &format!("balance {}", fleet.name));
                let balance = self.before(&fleet, call, rest)?;
                enough_live(&fleet, hosts, &balance, &self.run.allowed)?;
                if call.effect.as_any().is::<SetAdmin>() {
                    self.moves(&fleet, hosts, &balance, call, rest)?;
                }
                let answered = rest.pass(call);
                if answered.is_ok() {
                    // The hosts are out from this moment on, regardless of their state before.
                    hosts.iter().for_each(|host| self.observed.goes_out(host));
                    self.after(&fleet, call, rest)?;
                }
                answered
            }
            Touch::Admin { to: Admin::Ready, .. } => {
                let balance = self.before(&fleet, call, rest)?;
                if let Some(set) = call.effect.as_any().downcast_ref::<SetAdmin>() {
                    ours::may_put_back(set, &balance, &self.run, &self.observed, call, rest)?;
                    proof::healthy(set, &balance, &self.observed, self.run.allowed.unproven, call, rest)?;
                }
                rest.pass(call)
            }
            Touch::Served { host } => {
                self.out(&fleet, host, call, rest)?;
                let answered = rest.pass(call);
                if answered.as_ref().is_err_and(|failure| failure.reason() == Reason::Killed) {
                    return answered;
                }
                match (answered, self.still_out(&fleet, host, call, rest)) {
                    (Ok(_), Err(failure)) => Err(failure),
                    (Err(failure), Err(exposed)) => {
                        call.lane.tell(EventKind::Warned { host: Some(host.name.clone()), text: exposed.message });
                        Err(failure)
                    }
                    (answered, Ok(())) => answered,
                }
            }
            Touch::Written { host, path } if served(&fleet, host, path) => {
                self.out(&fleet, host, call, rest)?;
                rest.pass(call)
            }
            _ => rest.pass(call),
        }
    }
}

impl Invariants {
    pub(super) fn new(run: Arc<Run>, fleets: Arc<Fleets>, observed: Arc<Observed>, stopped: Arc<Stop>) -> Self {
        Self { run, fleets, observed, stopped }
    }

    /// Reads the balancers before a change, and checks in the same moment that this run still has the lock.
    fn before(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: InnerLayers<'_>) -> Result<Balance, Failure> {
        self.seen(fleet, rest.ask(&call).read(ReadBalance::before_change(fleet.clone())))
    }

    fn after(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: InnerLayers<'_>) -> Result<Balance, Failure> {
        self.seen(fleet, rest.ask(&call).read(ReadBalance::just_now(fleet.clone())))
    }

    fn seen(&self, fleet: &Fleet, read: Result<Balance, Failure>) -> Result<Balance, Failure> {
        read.inspect(|balance| self.observed.saw_balance(fleet, balance))
    }

    /// Notes what a drain takes out: nothing of a host that somebody else took out completely, else only ready servers.
    fn moves(
        &self,
        fleet: &Arc<Fleet>,
        hosts: &[Host],
        balance: &Balance,
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Result<(), Failure> {
        let mut book = None;
        for host in hosts {
            let standing = balance.standing(fleet, host)?;
            if !matches!(standing, PoolState::Out | PoolState::Mixed) {
                self.observed.moves(host, None);
                continue;
            }
            if book.is_none() {
                book = Some(rest.ask(&call).read(ReadLedger { fleet: fleet.clone() })?);
            }
            let book = book.as_ref().expect("it was just read");
            let known = book.last_admin(&host.name).map(|line| line.places.clone());
            match (self.run.out_as(book, &host.name), standing) {
                (OutReason::Strange, PoolState::Out) => self.observed.stays_theirs(host),
                (OutReason::Strange, _) => {
                    let ready = places(fleet, host).into_iter().zip(balance.servers(fleet, host)?);
                    let ready = ready.filter(|(_, server)| server.admin == Admin::Ready).map(|(p, _)| p.to_string());
                    self.observed.moves(host, Some(ready.collect()));
                }
                // The same places as in the drain that took it out.
                _ => self.observed.moves(host, known.filter(|places| !places.is_empty())),
            }
        }
        Ok(())
    }

    /// Refuses to take hosts out while a host that this run put back doesn't serve.
    fn settled(
        &self,
        fleet: &Arc<Fleet>,
        going: &[Host],
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Result<(), Failure> {
        let stopped = || self.stopped.signal().is_some() && !call.lane.deferred;
        let reader = Reader::Layer(rest.ask(&call));
        settled(fleet, &self.observed, going, &reader, &|| rest.world().now(call.lane), &stopped)?;
        if stopped() { Err(Failure::new(Cause::Interrupted, "interrupted")) } else { Ok(()) }
    }

    /// Checks I11 after a change: a host that isn't out any more took requests meanwhile. Takes it out again.
    fn still_out(&self, fleet: &Arc<Fleet>, host: &Host, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        let known = self.observed.host(host).out_since;
        if fleet.deploy_live {
            return Ok(());
        }
        let balance = self.after(fleet, call, rest)?;
        let reloaded = known.as_ref().and_then(|known| balance.reloaded_since(known));
        match (balance.standing(fleet, host)?, reloaded) {
            (PoolState::None, _) | (PoolState::Out, None) => return Ok(()),
            (PoolState::Out, Some(balancer)) => return Err(standings::exposed(host, balancer)),
            _ => {}
        }
        let failure = match reloaded {
            Some(balancer) => standings::exposed(host, balancer),
            None => Failure::new(Cause::Balancer, "somebody put it back while it was being changed"),
        };
        let again = self.out_again(fleet, host, &balance, call, rest);
        let said = match again {
            Ok(()) => "it is out again".to_owned(),
            Err(failure) => format!("it couldn't be taken out again: {}", failure.message),
        };
        let message = format!("{}; {said}", failure.message);
        Err(Failure { message, ..failure }.on(&host.name).help("check what it serves, then continue the run"))
    }

    fn out_again(
        &self,
        fleet: &Arc<Fleet>,
        host: &Host,
        balance: &Balance,
        call: Call<'_>,
        rest: InnerLayers<'_>,
    ) -> Result<(), Failure> {
        let hosts = vec![host.clone()];
        enough_live(fleet, &hosts, balance, &self.run.allowed)?;
        let book = rest.ask(&call).read(ReadLedger { fleet: fleet.clone() })?;
        let line = book.last_admin(&host.name).filter(|line| line.effect == "drain");
        let reason = line.and_then(|line| line.reason.clone()).unwrap_or_else(|| "deploy".to_owned());
        let drain = SetAdmin { fleet: fleet.clone(), hosts, to: Admin::Drain, reason, typed: false };
        rest.pass(Call { effect: &drain, ledger_writes: &[], ..call })?;
        self.observed.goes_out(host);
        self.after(fleet, call, rest).map(drop)
    }

    /// Checks I3 and I11: a host is changed only if it is out, has no requests, and wasn't live in between.
    fn out(&self, fleet: &Arc<Fleet>, host: &Host, call: Call<'_>, rest: InnerLayers<'_>) -> Result<(), Failure> {
        if fleet.deploy_live {
            return Ok(());
        }
        let known = self.observed.host(host).out_since;
        let balance = self.before(fleet, call, rest)?;
        match balance.standing(fleet, host)? {
            PoolState::None => return Ok(()),
            PoolState::Out => {}
            _ => {
                let servers = balance.servers(fleet, host)?;
                let place = places(fleet, host).into_iter().zip(servers).find(|(_, s)| s.admin == Admin::Ready);
                let place = place.map(|(p, _)| format!("{}/{}", p.balancer, p.pool)).unwrap_or_default();
                let message = format!("is live in `{place}`, so what it serves can't be changed");
                return Err(Failure::new(Cause::StillLive, message)
                    .on(&host.name)
                    .help("take its group out first, or set `deploy_live = true` for a testing fleet"));
            }
        }
        if let Some(known) = known {
            for (balancer, state) in &balance.balancers {
                if known.get(balancer).is_some_and(|epoch| *epoch != state.epoch) {
                    let message = format!(
                        "`{balancer}` was reloaded or restarted while this host was out: it may have gotten requests \
                         since"
                    );
                    return Err(Failure::new(Cause::Balancer, message)
                        .on(&host.name)
                        .help("nothing more was changed on it; type the line again"));
                }
            }
        }
        let servers = balance.servers(fleet, host)?;
        if let Some((place, _)) = places(fleet, host).into_iter().zip(servers).find(|(_, server)| server.is_reached()) {
            let message =
                format!("is drained, but sticky clients still reach it through `{}/{}`", place.pool, place.server);
            return Err(Failure::refused(message).on(&host.name).help("`balancer::wait_drained(host)` keeps them off"));
        }
        match balance.in_flight(fleet, host)? {
            0 => Ok(()),
            1 => Err(Failure::refused("still has 1 open request").on(&host.name)),
            n => Err(Failure::refused(format!("still has {n} open requests")).on(&host.name)),
        }
    }
}
