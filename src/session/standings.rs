//! The hosts' state in the balancer, as a run saw it.
use super::Observed;
use crate::{
    balancer::{Balance, ReadBalance, SetAdmin},
    effect::{Admin, Answered, Call},
    event::{EventKind, HostPlace, PoolState},
    failure::{Cause, Failure},
    fleet::Fleet,
    host::{Host, Name},
    model::key,
};

impl Observed {
    /// Notes when hosts were first seen out.
    pub fn saw_balance(&self, fleet: &Fleet, balance: &Balance) {
        let mut seen = self.seen.lock().unwrap();
        let epochs = balance.epochs();
        seen.epochs.extend(epochs.clone());
        for (host, standing) in fleet.hosts.iter().zip(balance.standings(fleet)) {
            if let Some(told) = seen.told.get_mut(&key(host)).filter(|told| told.drained && told.exposed.is_none())
                && matches!(standing, Some(PoolState::Live | PoolState::Mixed))
                && let Some(balancer) = told.out_since.as_ref().and_then(|known| balance.reloaded_since(known))
            {
                told.exposed = Some(exposed(host, balancer));
            }
            match standing {
                Some(PoolState::Out) => {
                    seen.told.entry(key(host)).or_default().out_since.get_or_insert_with(|| epochs.clone());
                }
                // A host that should be out keeps its epochs: they will show that it isn't out any more.
                Some(PoolState::Live) => {
                    if let Some(told) = seen.told.get_mut(&key(host))
                        && !told.drained
                    {
                        told.out_since = None;
                    }
                }
                _ => {}
            }
        }
    }

    /// Returns the hosts with another state in the balancer than was last reported.
    fn stand_otherwise(
        &self,
        fleet: &Fleet,
        stand: impl Fn(&Host, Option<&HostPlace>) -> Option<(PoolState, u64)>,
    ) -> Vec<HostPlace> {
        let mut seen = self.seen.lock().unwrap();
        let mut otherwise = Vec::new();
        for host in &fleet.hosts {
            let before = seen.places.get(&key(host));
            let Some((balancer, open)) = stand(host, before) else { continue };
            let same =
                |told: &HostPlace| told.balancer == balancer && (told.open == open || balancer == PoolState::Live);
            if !before.is_some_and(same) {
                let place = HostPlace { host: host.name.clone(), group: host.group.clone(), balancer, open };
                seen.places.insert(key(host), place.clone());
                otherwise.push(place);
            }
        }
        otherwise
    }

    /// Reports the hosts' state in the balancer, if it was read or changed.
    pub(super) fn tell_places(&self, call: Call<'_>, answered: &Answered) {
        let (Ok(answer), effect) = (answered, call.effect.as_any()) else { return };
        let (fleet, hosts) = if let Some(read) = effect.downcast_ref::<ReadBalance>()
            && let Some(balance) = answer.as_any().downcast_ref::<Balance>()
        {
            let stand = |host: &Host, _: Option<&HostPlace>| {
                let standing =
                    balance.standing(&read.fleet, host).ok().filter(|standing| *standing != PoolState::None)?;
                Some((standing, balance.in_flight(&read.fleet, host).ok()?))
            };
            (&read.fleet, self.stand_otherwise(&read.fleet, stand))
        } else if let Some(set) = effect.downcast_ref::<SetAdmin>() {
            let to = if set.to == Admin::Ready { PoolState::Live } else { PoolState::Out };
            let stand = |host: &Host, before: Option<&HostPlace>| {
                set.hosts.contains(host).then_some(before).flatten().map(|before| (to, before.open))
            };
            (&set.fleet, self.stand_otherwise(&set.fleet, stand))
        } else {
            return;
        };
        if !hosts.is_empty() {
            call.lane.tell(EventKind::BalanceSeen { fleet: fleet.name.clone(), hosts });
        }
    }
}

/// Makes the failure for a host that a balancer forgot to keep out.
pub(super) fn exposed(host: &Host, balancer: &Name) -> Failure {
    let message = format!("`{balancer}` was reloaded or restarted while this host was out, and sent it requests");
    Failure::new(Cause::Balancer, message).on(&host.name)
}
