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
    /// Each entry is a map with `standing` (`live`, `out`, `mixed`, `none`), `up`, `in_flight` and `said` (the status
    /// as the balancers report it).
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

    /// Takes hosts out of all their pools: open requests can finish, and no new ones arrive.
    ///
    /// It takes out all of them or none.
    ///
    /// rfab refuses this if too few hosts would stay live. The ledger records the `reason`.
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

    /// Takes hosts out without a reason for the ledger.
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

    /// Takes one host out without a reason for the ledger.
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
    /// Clients that are bound to the host by a cookie or a stick table still reach it while it's drained. When no
    /// request is open, rfab puts the host's servers into maintenance, and these clients go to other hosts. With
    /// `force_close` in the fleet file, rfab closes what is still open after that time.
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

    /// Sets a host's servers back to draining after `wait_drained` has put them into maintenance.
    ///
    /// The balancer checks these servers again, and clients that are bound to the host come back to it. The host stays
    /// out. rfab doesn't change a host without such servers.
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
    /// rfab refuses a host that isn't healthy, or that somebody else took out.
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

    /// Puts back a host that a person named, even if somebody else took it out.
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

    /// Waits until the balancers' checks report that the host is up.
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

    /// Sets the host's weight in its pools, as a percentage of the configured weight.
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

    /// Checks that every balancer of the targets' fleet answers and accepts commands, and fails if one doesn't.
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
    /// Without this call, the first change does both. Read the state that your changes depend on after this call, not
    /// before. The run keeps the lock until it ends.
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

    /// Returns the hosts that are in a pool.
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

    /// Returns whether one host is ready in any of its pools right now.
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

    /// Returns whether one host is drained or in maintenance in any of its pools right now.
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

    /// Returns whether one host is in a pool.
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

    /// Returns the hosts that are ready in any of their pools right now.
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

    /// Returns the hosts that are drained or in maintenance in any of their pools right now.
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
    /// These went out with their group (`only`, `flip`), or this run took them out, or a run that is over took them out
    /// to change them. Somebody else took out all the others.
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

    /// Returns the hosts that went out only to be changed, and must be put back.
    ///
    /// A deploy, a release or a restart took them out, in this run or in an earlier run that didn't put them back.
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
    /// Either a balancer forgot that they are out, or somebody put them back.
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

    /// Returns who took each of the hosts out, and why, as text for people.
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

    /// Returns who took one host out, and why, as text for people.
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

    /// Reports that hosts were left as they are and need a person's attention. The run exits with code 8.
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

    /// Reports that hosts were left as they are because something failed. The run exits with code 8.
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

    /// Checks that the targets include every host of the fleet's pools, and fails if they don't.
    ///
    /// A host that `--exclude` names can be missing if it's out of its pools.
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
