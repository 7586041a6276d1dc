//! Primitives that take servers out of the balancer and put them back.
use super::{
    HostValue,
    standing::{alone, in_by_itself, out_as, standing_as, standing_of, states},
    whole_pools::refuse_parts,
};
use crate::{
    balancer::{AcquireLock, CheckBalancers, CutOff, Emptied, Reopen, SetAdmin, SetWeight, WaitDrained, WaitUp},
    effect::Admin,
    event::PoolState,
    failure::{Cause, Failure},
    script::{Here, RhaiResultOf, Targets, here, thrown},
    session::{LeftOut, OutReason, taken_out},
};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

fn set(here: &Here, targets: &Targets, to: Admin, reason: &str, typed: bool) -> RhaiResultOf<()> {
    if targets.hosts.is_empty() || targets.fleet.balancers.is_empty() {
        return Ok(());
    }
    let hosts = targets.hosts.to_vec();
    here.perform(SetAdmin { fleet: targets.fleet.clone(), hosts, to, reason: reason.to_owned(), typed })
}

fn within(here: &Here, host: &HostValue) -> u64 {
    let fleet = here.fleet_of(&host.0.host);
    fleet.balancers.iter().map(|b| b.drain_within).max().unwrap_or_default().as_millis() as u64
}

#[export_module(manifest)]
pub mod balancer {
    /// Returns the hosts' state in the balancer, as a map by host name.
    ///
    /// Each entry is a map with these keys: `standing` is `live`, `out`, `mixed` (live in some pools and out in others)
    /// or `none` (not in a pool). `up` is whether the balancers' health checks report all its servers as up.
    /// `in_flight` is the number of requests that are open. `said` is the status as the balancers report it.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let state = balancer::state(targets());
    /// ```
    #[rhai_fn(name = "state", return_raw)]
    pub(crate) fn state(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Map> {
        states(&here(&ctx)?.clone(), &targets)
    }

    /// Takes hosts out of all their pools: open requests can finish, but no new ones arrive.
    ///
    /// It takes out all of them or none.
    ///
    /// rfab refuses if too few hosts would stay live. The ledger records the `reason`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "disk");
    /// ```
    #[rhai_fn(name = "drain", return_raw)]
    pub(crate) fn drain(ctx: NativeCallContext, targets: Targets, reason: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &targets, Admin::Drain, reason, false)
    }

    /// Takes one host out of all its pools. The ledger records the `reason`.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(host, "disk");
    /// ```
    #[rhai_fn(name = "drain", return_raw)]
    pub(crate) fn drain_one(ctx: NativeCallContext, host: HostValue, reason: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &alone(&here, &host), Admin::Drain, reason, false)
    }

    /// Takes hosts out without recording a reason in the ledger.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"));
    /// ```
    #[rhai_fn(name = "drain", return_raw)]
    pub(crate) fn drain_silently(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &targets, Admin::Drain, "no reason given", false)
    }

    /// Takes one host out without recording a reason in the ledger.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(host);
    /// ```
    #[rhai_fn(name = "drain", return_raw)]
    pub(crate) fn drain_one_silently(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &alone(&here, &host), Admin::Drain, "no reason given", false)
    }

    /// Waits until no request is open on the host, and fails after the balancer's `drain_within`.
    ///
    /// While the host is draining, clients that a cookie or a stick table binds to it still reach it. When no request
    /// is open, rfab puts the host's servers into maintenance, and the balancer sends these clients to other hosts.
    /// With `force_close` in the fleet file, the call doesn't fail after that time: rfab closes the requests that are
    /// still open.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "disk");
    /// balancer::wait_drained(host);
    /// ```
    #[rhai_fn(name = "wait_drained", return_raw)]
    pub(crate) fn wait_drained(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let (fleet, within) = (here.fleet_of(&host.0.host), within(&here, &host));
        let host = host.0.host;
        let Emptied { bound, open } = here.perform(WaitDrained { fleet: fleet.clone(), host: host.clone(), within })?;
        if bound || open > 0 {
            let within = if bound { within / 2 } else { 0 };
            here.perform(CutOff { fleet, host, bound, within })?;
        }
        Ok(())
    }

    /// Takes a host's servers out of maintenance after `wait_drained` put them there, and drains them again.
    ///
    /// The balancer then checks these servers again, and clients that are bound to the host come back to it. Other
    /// clients don't: the host stays out. If `wait_drained` put none of its servers into maintenance, this call changes
    /// nothing.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "disk");
    /// balancer::wait_drained(host);
    /// balancer::reopen(host);
    /// ```
    #[rhai_fn(name = "reopen", return_raw)]
    pub(crate) fn reopen(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let places = here.session.observed.host(&host.0.host).shut;
        if places.is_empty() {
            return Ok(());
        }
        here.perform(Reopen { fleet: here.fleet_of(&host.0.host), host: host.0.host, places })
    }

    /// Puts hosts back into all their pools.
    ///
    /// rfab refuses to put back a host that isn't healthy or that somebody else took out.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "disk");
    /// balancer::ready(targets().group("group1"));
    /// ```
    #[rhai_fn(name = "ready", return_raw)]
    pub(crate) fn ready(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &targets, Admin::Ready, "ready", false)
    }

    /// Puts one host back into all its pools.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "disk");
    /// balancer::ready(host);
    /// ```
    #[rhai_fn(name = "ready", return_raw)]
    pub(crate) fn ready_one(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &alone(&here, &host), Admin::Ready, "ready", false)
    }

    /// Puts back a host that the user named, even if somebody else took it out.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::ready_named(host);
    /// ```
    #[rhai_fn(name = "ready_named", return_raw)]
    pub(crate) fn ready_named(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        set(&here, &alone(&here, &host), Admin::Ready, "ready by name", true)
    }

    /// Waits until the balancers' health checks report that the host is up.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::wait_up(host);
    /// ```
    #[rhai_fn(name = "wait_up", return_raw)]
    pub(crate) fn wait_up(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let (fleet, within) = (here.fleet_of(&host.0.host), within(&here, &host));
        here.perform(WaitUp { fleet, host: host.0.host, within })
    }

    /// Sets the host's weight in its pools to a percentage of the configured weight.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::weight(host, 10);
    /// ```
    #[rhai_fn(name = "weight", return_raw)]
    pub(crate) fn weight(ctx: NativeCallContext, host: HostValue, percent: i64) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        let percent = u8::try_from(percent).ok().filter(|p| *p <= 100).ok_or_else(|| {
            thrown(Failure::new(Cause::Fabfile, format!("a weight is 0 to 100 percent, not {percent}")))
        })?;
        here.perform(SetWeight { fleet: here.fleet_of(&host.0.host), host: host.0.host, percent })
    }

    /// Fails unless every balancer of the targets' fleet answers and accepts commands.
    ///
    /// It changes nothing.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::check(targets());
    /// ```
    #[rhai_fn(name = "check", return_raw)]
    pub(crate) fn check(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<()> {
        let here = here(&ctx)?.clone();
        if targets.fleet.balancers.iter().all(|balancer| balancer.by_hand() || balancer.pools.is_empty()) {
            return Ok(());
        }
        here.perform(CheckBalancers { fleet: targets.fleet })
    }

    /// Takes the fleet's lock now, and asks for confirmation if the fleet is guarded.
    ///
    /// Without this call, rfab does both before the run's first change. If your changes depend on the state of hosts,
    /// read that state after this call. The run keeps the lock until it ends.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::lock(targets());
    /// ```
    #[rhai_fn(name = "lock", return_raw)]
    pub(crate) fn lock(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<()> {
        here(&ctx)?.perform(AcquireLock { fleet: targets.fleet })
    }

    /// Returns the hosts that belong to a pool, whether they are live or out.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let served = balancer::pooled(targets());
    /// ```
    #[rhai_fn(name = "pooled", return_raw)]
    pub(crate) fn pooled(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        let _ = here(&ctx)?;
        let pooled = |h: &&crate::host::Host| !crate::balancer::places(&targets.fleet, h).is_empty();
        Ok(targets.with(targets.hosts.iter().filter(pooled).cloned().collect(), &targets.selection))
    }

    /// Returns whether one host is live in any of its pools right now.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if balancer::live(host) { ui::note(host, "takes requests"); }
    /// ```
    #[rhai_fn(name = "live", return_raw)]
    pub(crate) fn live_one(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        Ok(!standing_as(&here, &alone(&here, &host), &[PoolState::Live, PoolState::Mixed])?.hosts.is_empty())
    }

    /// Returns whether one host is out of any of its pools right now: drained or in maintenance.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if !balancer::out(host) { balancer::drain(host, "disk"); }
    /// ```
    #[rhai_fn(name = "out", return_raw)]
    pub(crate) fn out_one(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        let here = here(&ctx)?.clone();
        Ok(!standing_as(&here, &alone(&here, &host), &[PoolState::Out, PoolState::Mixed])?.hosts.is_empty())
    }

    /// Returns whether one host belongs to a pool, whether it's live or out.
    ///
    /// # Example
    ///
    /// ```rhai
    /// if balancer::pooled(host) { balancer::wait_up(host); }
    /// ```
    #[rhai_fn(name = "pooled", return_raw)]
    pub(crate) fn pooled_one(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<bool> {
        Ok(!crate::balancer::places(&here(&ctx)?.fleet_of(&host.0.host), &host.0.host).is_empty())
    }

    /// Returns the hosts that are live in any of their pools right now.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let serving = balancer::live(targets());
    /// ```
    #[rhai_fn(name = "live", return_raw)]
    pub(crate) fn live(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        standing_as(&*here(&ctx)?, &targets, &[PoolState::Live, PoolState::Mixed])
    }

    /// Returns the hosts that are out of any of their pools right now: drained or in maintenance.
    ///
    /// # Example
    ///
    /// ```rhai
    /// let gone = balancer::out(targets());
    /// ```
    #[rhai_fn(name = "out", return_raw)]
    pub(crate) fn out(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        standing_as(&*here(&ctx)?, &targets, &[PoolState::Out, PoolState::Mixed])
    }

    /// Returns the hosts that are out and that this run may put back, according to the ledger.
    ///
    /// These are the hosts that went out with their group (`only`, `flip`), that this run took out, or that an earlier
    /// run took out to change them. rfab treats all other hosts that are out as taken out by somebody else.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::ready(balancer::ours(targets()));
    /// ```
    #[rhai_fn(name = "ours", return_raw)]
    pub(crate) fn ours(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        out_as(&*here(&ctx)?, &targets, |out| out != OutReason::Strange)
    }

    /// Returns the hosts that a run took out to change them and that must be put back.
    ///
    /// The run is a deploy, a release or a restart: this one, or an earlier one that didn't put them back.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::drain(targets().group("group1"), "restart");
    /// balancer::ready(balancer::returning(targets()));
    /// ```
    #[rhai_fn(name = "returning", return_raw)]
    pub(crate) fn returning(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        out_as(&*here(&ctx)?, &targets, |out| out == OutReason::Returning)
    }

    /// Returns the hosts that are live although rfab took them out.
    ///
    /// Either a balancer forgot that they were out, or somebody put them back.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::ready(balancer::in_again(targets()));   // records that they are live
    /// ```
    #[rhai_fn(name = "in_again", return_raw)]
    pub(crate) fn in_again(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Targets> {
        in_by_itself(&here(&ctx)?.clone(), &targets)
    }

    /// Returns one line of text per host: who took it out, and why.
    ///
    /// # Example
    ///
    /// ```rhai
    /// for line in balancer::who(targets()) { ui::note(line); }
    /// ```
    #[rhai_fn(name = "who", return_raw)]
    pub(crate) fn who(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<Array> {
        let here = here(&ctx)?.clone();
        let book = here.perform(standing_of(&targets))?;
        let line = |host: &crate::host::Host| Dynamic::from(taken_out(host, book.last_admin(&host.name)));
        Ok(targets.hosts.iter().map(line).collect())
    }

    /// Returns a line of text about one host: who took it out, and why.
    ///
    /// # Example
    ///
    /// ```rhai
    /// ui::note(host, balancer::who(host));
    /// ```
    #[rhai_fn(name = "who", return_raw)]
    pub(crate) fn who_one(ctx: NativeCallContext, host: HostValue) -> RhaiResultOf<String> {
        let here = here(&ctx)?.clone();
        let book = here.perform(standing_of(&alone(&here, &host)))?;
        Ok(taken_out(&host.0.host, book.last_admin(&host.0.host.name)))
    }

    /// Reports hosts that the run leaves as they are and that a person must look at. The run exits with code 8.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::leave_out("web5 was taken out by anna");
    /// ```
    #[rhai_fn(name = "leave_out", return_raw)]
    pub(crate) fn leave_out(ctx: NativeCallContext, why: &str) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        if here.session.observed.left_out(LeftOut::Why(why.to_owned())) {
            here.lane.tell(crate::event::EventKind::Warned { host: None, text: why.to_owned() });
        }
        Ok(())
    }

    /// Reports a failure because of which the run leaves hosts as they are. The run exits with code 8.
    ///
    /// # Example
    ///
    /// ```rhai
    /// try { balancer::check(targets()); } catch (failure) { balancer::leave_out(failure); }
    /// ```
    #[rhai_fn(name = "leave_out", return_raw)]
    pub(crate) fn leave_out_failed(ctx: NativeCallContext, failure: Failure) -> RhaiResultOf<()> {
        let here = here(&ctx)?;
        let text = failure.to_string();
        if here.session.observed.left_out(LeftOut::Failed(Box::new(failure))) {
            here.lane.tell(crate::event::EventKind::Warned { host: None, text });
        }
        Ok(())
    }

    /// Fails unless the targets include every host of the fleet's pools.
    ///
    /// A host that `--exclude` names can be missing if it's out of all its pools.
    ///
    /// # Example
    ///
    /// ```rhai
    /// balancer::want_whole_pools(targets());
    /// ```
    #[rhai_fn(name = "want_whole_pools", return_raw)]
    pub(crate) fn want_whole_pools(ctx: NativeCallContext, targets: Targets) -> RhaiResultOf<()> {
        refuse_parts(&here(&ctx)?.clone(), &targets)
    }
}
