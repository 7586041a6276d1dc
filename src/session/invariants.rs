//! What no script may break, read afresh before each change.
use super::{Layer, Rest, Run, Tally, proof};
use crate::{
    balancer::{Balance, ReadBalance, SetAdmin, driver::Checked, places},
    effect::{Admin, Answered, Call, Fleets, Touch},
    event::Standing,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::Host,
};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

pub struct Invariants {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    tally: Arc<Tally>,
}

impl Layer for Invariants {
    fn pass(&self, call: Call<'_>, rest: Rest<'_>) -> Answered {
        let touch = call.effect.touch();
        let Some(fleet) = touch.fleet().map(|name| self.fleets.get(name)) else { return rest.pass(call) };
        if fleet.balancers.is_empty() {
            return rest.pass(call);
        }
        match touch {
            Touch::Admin { hosts, to: Admin::Drain | Admin::Maint } => {
                // Between the look and the change no other lane of this run may come.
                let _alone = rest.world().alone(call, &format!("balance {}", fleet.name));
                let balance = self.balance(&fleet, call, rest)?;
                self.enough_live(&fleet, hosts, &balance)?;
                let answered = rest.pass(call);
                if answered.is_ok() {
                    // They are out from this moment on, whatever was so before.
                    hosts.iter().for_each(|host| self.tally.goes_out(host));
                    self.balance(&fleet, call, rest)?;
                }
                answered
            }
            Touch::Admin { to: Admin::Ready, .. } => {
                let balance = self.balance(&fleet, call, rest)?;
                if let Some(set) = call.effect.as_any().downcast_ref::<SetAdmin>() {
                    proof::may_put_back(set, &balance, &self.run, &self.tally, call, rest)?;
                    proof::healthy(set, &balance, &self.tally, call, rest)?;
                }
                rest.pass(call)
            }
            Touch::Served { host } => {
                self.out(&fleet, host, call, rest)?;
                rest.pass(call)
            }
            Touch::Written { host, path } if served(&fleet, host, path) => {
                self.out(&fleet, host, call, rest)?;
                rest.pass(call)
            }
            _ => rest.pass(call),
        }
    }
}

/// Whether what lies at a path may be read by a running service: shared files and the current release.
fn served(fleet: &Fleet, host: &Host, path: &str) -> bool {
    fleet.app.as_ref().is_some_and(|app| {
        let path = resolved(path);
        let below = |folder: &str| path.starts_with(Path::new(&app.path_on(host)).join(folder));
        below("shared") || below("current")
    })
}

/// A path without `.` and `..`, as far as its words alone tell.
fn resolved(path: &str) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole
}

impl Invariants {
    pub fn new(run: Arc<Run>, fleets: Arc<Fleets>, tally: Arc<Tally>) -> Self {
        Self { run, fleets, tally }
    }

    fn balance(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: Rest<'_>) -> Result<Balance, Failure> {
        let balance = rest.ask(&call).read(ReadBalance { fleet: fleet.clone() })?;
        self.tally.saw_balance(fleet, &balance);
        Ok(balance)
    }

    /// I1 and I2: the whole group is counted before its first host goes out.
    fn enough_live(&self, fleet: &Fleet, hosts: &[Host], balance: &Balance) -> Result<(), Failure> {
        let mut going: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        let places: Vec<_> = hosts.iter().flat_map(|h| places(fleet, h)).collect();
        for place in &places {
            going.entry((&place.balancer, &place.pool)).or_default().push(place.server.clone());
        }
        for ((name, pool), leaving) in going {
            let servers = balance.balancers.get(name).and_then(|b| b.pools.get(pool)).map(Vec::as_slice).unwrap_or(&[]);
            let live = |s: &&crate::balancer::driver::Server| s.admin == Admin::Ready && s.health == Checked::Up;
            let stay = servers.iter().filter(live).filter(|s| !leaving.contains(&s.name)).count();
            // One that is down already takes nothing away by going out.
            let serves = |s: &crate::balancer::driver::Server| s.admin == Admin::Ready && s.health != Checked::Down;
            let changes = servers.iter().any(|s| leaving.contains(&s.name) && serves(s));
            let balancer = fleet.balancers.iter().find(|b| *b.name == *name);
            let wanted = balancer.map_or(1, |b| fleet.min_live(b, pool)).max(1);
            if !changes || stay >= wanted || self.run.allow_outage.iter().any(|p| p == pool) {
                continue;
            }
            let all = servers.len();
            let sick: Vec<String> = servers
                .iter()
                .filter(|s| s.admin == Admin::Ready && s.health != Checked::Up)
                .map(|s| format!("`{}` is {}", s.name, s.raw))
                .collect();
            let sick = if sick.is_empty() { String::new() } else { format!(". {}", sick.join(", ")) };
            let message = format!("pool `{pool}`: {stay} of {all} live after this, {wanted} wanted{sick}");
            return Err(Failure::refused(message).help("nothing was changed; see `min_live` in the fleet file"));
        }
        Ok(())
    }

    /// I3 and I11: only a host that is out, empty, and never was back since is changed.
    fn out(&self, fleet: &Arc<Fleet>, host: &Host, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        if fleet.deploy_live {
            return Ok(());
        }
        let known = self.tally.told(host).out_since;
        let balance = self.balance(fleet, call, rest)?;
        match balance.standing(fleet, host)? {
            Standing::None => return Ok(()),
            Standing::Out => {}
            _ => {
                let servers = balance.servers(fleet, host)?;
                let place = places(fleet, host).into_iter().zip(servers).find(|(_, s)| s.admin == Admin::Ready);
                let place = place.map(|(p, _)| format!("{}/{}", p.balancer, p.pool)).unwrap_or_default();
                let message = format!("host `{host}` is live in `{place}`, so nothing that it serves is changed");
                return Err(Failure::refused(message)
                    .on(&host.name)
                    .help("take its group out first, or set `deploy_live = true` for a testing fleet"));
            }
        }
        if let Some(known) = known {
            for (balancer, state) in &balance.balancers {
                if known.get(balancer).is_some_and(|epoch| *epoch != state.epoch) {
                    let message = format!(
                        "`{balancer}` was reloaded or restarted while `{host}` was out: it may have had requests since"
                    );
                    return Err(Failure::new(Reason::Balancer, message)
                        .on(&host.name)
                        .help("nothing more was changed on it; start again"));
                }
            }
        }
        match balance.in_flight(fleet, host)? {
            0 => Ok(()),
            1 => Err(Failure::refused(format!("host `{host}` still has 1 open request")).on(&host.name)),
            n => Err(Failure::refused(format!("host `{host}` still has {n} open requests")).on(&host.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_what_it_leads_to() {
        for (path, means) in [
            ("/srv/shop/releases/../shared/./a", "/srv/shop/shared/a"),
            ("/srv//shop/shared/", "/srv/shop/shared"),
            ("/../srv", "/srv"),
        ] {
            assert_eq!(resolved(path), Path::new(means), "{path}");
        }
    }
}
