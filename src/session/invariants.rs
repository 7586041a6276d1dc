//! What no script may break, read afresh before each change.
use super::{Layer, Observed, Out, Reader, Rest, Run, Stop, ours, proof, settled, standings};
use crate::{
    balancer::{
        Balance, ReadBalance, SetAdmin,
        driver::{Checked, Server},
        places,
    },
    effect::{Admin, Answered, Call, Fleets, Touch},
    event::{Standing, What},
    failure::{Cause, Failure, Reason},
    fleet::{Balancer, Fleet},
    host::{Host, Name},
    ledger::ReadLedger,
};
use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

pub struct Invariants {
    run: Arc<Run>,
    fleets: Arc<Fleets>,
    observed: Arc<Observed>,
    stopped: Arc<Stop>,
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
                if call.effect.as_any().is::<SetAdmin>() {
                    self.settled(&fleet, hosts, call, rest)?;
                }
                // Between the look and the change no other lane of this run may come.
                let _alone = rest.world().alone(call, &format!("balance {}", fleet.name));
                let balance = self.balance(&fleet, call, rest)?;
                self.enough_live(&fleet, hosts, &balance)?;
                if call.effect.as_any().is::<SetAdmin>() {
                    self.moves(&fleet, hosts, &balance, call, rest)?;
                }
                let answered = rest.pass(call);
                if answered.is_ok() {
                    // They are out from this moment on, whatever was so before.
                    hosts.iter().for_each(|host| self.observed.goes_out(host));
                    self.balance(&fleet, call, rest)?;
                }
                answered
            }
            Touch::Admin { to: Admin::Ready, .. } => {
                let balance = self.balance(&fleet, call, rest)?;
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
                        call.lane.tell(What::Warned { host: Some(host.name.clone()), text: exposed.message });
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

/// The pools that hosts stand in.
fn pools_of<'a>(fleet: &'a Fleet, hosts: &[Host]) -> Vec<(&'a Balancer, &'a Name)> {
    let pools = fleet.balancers.iter().flat_map(|b| b.pools.iter().map(move |(pool, role)| (b, pool, role)));
    let stands = |role: &Name| hosts.iter().any(|host| host.roles.contains(role));
    pools.filter(|(_, _, role)| stands(role)).map(|(b, pool, _)| (b, pool)).collect()
}

/// What a pool can bear when hosts have left it. Servers that are not of the fleet count for nothing.
#[derive(Debug, PartialEq)]
struct Capacity {
    /// Hosts that still get requests then, and are healthy.
    stay: usize,
    all: usize,
    /// Whether any of those that leave may get requests now.
    shrinks: bool,
    /// Who is ready and stays, and gets no requests or is not well: why.
    idle: Vec<String>,
}

impl Capacity {
    fn of(fleet: &Fleet, balancer: &Balancer, pool: &str, servers: &[Server], leaving: &[Host]) -> Capacity {
        // A balancer sends requests to backups only while nobody else can take them.
        let backups = !servers.iter().any(|s| !s.backup && s.may_serve(false));
        let hosts = fleet.servers(balancer, pool);
        let mut capacity = Capacity { stay: 0, all: hosts.len(), shrinks: false, idle: Vec::new() };
        for host in hosts {
            let names: Vec<String> = places(fleet, host)
                .into_iter()
                .filter(|p| p.balancer == balancer.name && *p.pool == *pool)
                .map(|p| p.server)
                .collect();
            let mine = || servers.iter().filter(|s| names.contains(&s.name));
            if leaving.contains(host) {
                capacity.shrinks |= mine().any(|s| s.may_serve(backups));
                continue;
            }
            capacity.stay += usize::from(mine().next().is_some() && mine().all(|s| s.serves(backups)));
            let idle = mine().filter(|s| s.admin == Admin::Ready && !s.serves(backups));
            capacity.idle.extend(idle.map(|s| match s {
                s if s.health != Checked::Up => format!("`{}` is {}", s.name, s.raw),
                s if s.weight == 0 => format!("`{}` has weight 0", s.name),
                s => format!("`{}` is a backup", s.name),
            }));
        }
        capacity
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
    pub fn new(run: Arc<Run>, fleets: Arc<Fleets>, observed: Arc<Observed>, stopped: Arc<Stop>) -> Self {
        Self { run, fleets, observed, stopped }
    }

    fn balance(&self, fleet: &Arc<Fleet>, call: Call<'_>, rest: Rest<'_>) -> Result<Balance, Failure> {
        let balance = rest.ask(&call).read(ReadBalance { fleet: fleet.clone() })?;
        self.observed.saw_balance(fleet, &balance);
        Ok(balance)
    }

    /// Notes what a drain takes out: nothing of a host that is out by somebody else, and else only where it is ready.
    fn moves(
        &self,
        fleet: &Arc<Fleet>,
        hosts: &[Host],
        balance: &Balance,
        call: Call<'_>,
        rest: Rest<'_>,
    ) -> Result<(), Failure> {
        let mut book = None;
        for host in hosts {
            let standing = balance.standing(fleet, host)?;
            if !matches!(standing, Standing::Out | Standing::Mixed) {
                self.observed.moves(host, None);
                continue;
            }
            if book.is_none() {
                book = Some(rest.ask(&call).read(ReadLedger { fleet: fleet.clone() })?);
            }
            let book = book.as_ref().expect("it was just read");
            let known = book.last_admin(&host.name).map(|line| line.places.clone());
            match (self.run.out_as(book, &host.name), standing) {
                (Out::Strange, Standing::Out) => self.observed.stays_theirs(host),
                (Out::Strange, _) => {
                    let ready = places(fleet, host).into_iter().zip(balance.servers(fleet, host)?);
                    let ready = ready.filter(|(_, server)| server.admin == Admin::Ready).map(|(p, _)| p.to_string());
                    self.observed.moves(host, Some(ready.collect()));
                }
                // As it was before whoever took it out.
                _ => self.observed.moves(host, known.filter(|places| !places.is_empty())),
            }
        }
        Ok(())
    }

    /// Nobody goes out while a host that this run put back does not serve any more.
    fn settled(&self, fleet: &Arc<Fleet>, going: &[Host], call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        let stopped = || self.stopped.signal().is_some() && !call.lane.deferred;
        let reader = Reader::Layer(rest.ask(&call));
        settled(fleet, &self.observed, going, &reader, &|| rest.world().now(call.lane), &stopped)?;
        match stopped() {
            true => Err(Failure::new(Cause::Interrupted, "interrupted")),
            false => Ok(()),
        }
    }

    /// I11 after a change: a host that is not out any more took requests meanwhile. It is taken out once more.
    fn still_out(&self, fleet: &Arc<Fleet>, host: &Host, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        let known = self.observed.host(host).out_since;
        if fleet.deploy_live {
            return Ok(());
        }
        let balance = self.balance(fleet, call, rest)?;
        let reloaded = known.as_ref().and_then(|known| balance.reloaded_since(known));
        match (balance.standing(fleet, host)?, reloaded) {
            (Standing::None, _) | (Standing::Out, None) => return Ok(()),
            (Standing::Out, Some(balancer)) => return Err(standings::exposed(host, balancer)),
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
        rest: Rest<'_>,
    ) -> Result<(), Failure> {
        let hosts = vec![host.clone()];
        self.enough_live(fleet, &hosts, balance)?;
        let book = rest.ask(&call).read(ReadLedger { fleet: fleet.clone() })?;
        let line = book.last_admin(&host.name).filter(|line| line.effect == "drain");
        let reason = line.and_then(|line| line.reason.clone()).unwrap_or_else(|| "deploy".to_owned());
        let drain = SetAdmin { fleet: fleet.clone(), hosts, to: Admin::Drain, reason, typed: false };
        rest.pass(Call { effect: &drain, notes: &[], ..call })?;
        self.observed.goes_out(host);
        self.balance(fleet, call, rest).map(drop)
    }

    /// I1 and I2: the whole group is counted before its first host goes out.
    fn enough_live(&self, fleet: &Fleet, hosts: &[Host], balance: &Balance) -> Result<(), Failure> {
        for (balancer, pool) in pools_of(fleet, hosts) {
            let servers = balance.pool(&balancer.name, pool);
            let wanted = fleet.min_live(balancer, pool).max(1);
            let capacity = Capacity::of(fleet, balancer, pool, servers, hosts);
            if !capacity.shrinks
                || capacity.stay >= wanted
                || self.run.allowed.allow_outage.iter().any(|p| *p == **pool)
            {
                continue;
            }
            let Capacity { stay, all, idle, .. } = capacity;
            let idle = if idle.is_empty() { String::new() } else { format!(". {}", idle.join(", ")) };
            let message = format!("pool `{pool}`: {stay} of {all} live after this, and it needs {wanted}{idle}");
            let cost = if stay == 0 {
                "every request to it fails until a host is back".to_owned()
            } else {
                format!("{stay} of {all} hosts would carry the whole load")
            };
            let help = format!("see `min_live` in the fleet file, or add `--allow-outage {pool}`: then {cost}");
            return Err(Failure::new(Cause::MinLive, message).help(help).unchanged());
        }
        Ok(())
    }

    /// I3 and I11: only a host that is out, empty, and never was back since is changed.
    fn out(&self, fleet: &Arc<Fleet>, host: &Host, call: Call<'_>, rest: Rest<'_>) -> Result<(), Failure> {
        if fleet.deploy_live {
            return Ok(());
        }
        let known = self.observed.host(host).out_since;
        let balance = self.balance(fleet, call, rest)?;
        match balance.standing(fleet, host)? {
            Standing::None => return Ok(()),
            Standing::Out => {}
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
                        "`{balancer}` was reloaded or restarted while this host was out: it may have had requests since"
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

    /// A server of a pool by what is told of it, such as `drain`, `w0`, `backup DOWN`.
    fn server(name: &str, told: &str) -> Server {
        let mut server = Server::ready(name);
        for word in told.split(' ') {
            match word {
                "UP" => {}
                "DOWN" => (server.health, server.raw) = (Checked::Down, "DOWN".into()),
                "rising" => (server.health, server.raw) = (Checked::Rising, "DOWN 1/2".into()),
                "falling" => (server.health, server.raw) = (Checked::Falling, "UP 1/3".into()),
                "odd" => (server.health, server.raw) = (Checked::Unknown, "ODD".into()),
                "drain" => server.admin = Admin::Drain,
                "maint" => (server.admin, server.health) = (Admin::Maint, Checked::Unknown),
                "w0" => server.weight = 0,
                "backup" => server.backup = true,
                word => panic!("{word}"),
            }
        }
        server
    }

    #[test]
    fn capacity_is_the_hosts_that_get_requests_now_and_who_gets_none_may_always_leave() {
        let text = "[hosts]\n\"web[1..3]\" = { roles = [\"web\"] }\n[balancer.lb1]\ndriver = \"haproxy\"\nhost = \"lb1\"\n\
                    socket = \"/run/a.sock\"\npools = { www = \"web\" }\n";
        let fleet = crate::fleet::tests::read_text(text);
        // web1 leaves; `sorry` is no host of the fleet.
        for (web1, web2, web3, sorry, stay, shrinks) in [
            ("UP", "UP", "UP", "", 2, true),
            ("UP", "drain", "UP", "", 1, true),
            ("UP", "falling", "rising", "", 0, true),
            ("UP", "maint", "odd", "", 0, true),
            // B3: a server of somebody else is no capacity, whether it is a backup or not.
            ("UP", "drain", "drain", "backup", 0, true),
            ("UP", "drain", "drain", "UP", 0, true),
            // B4: who has weight 0 gets nothing.
            ("UP", "w0", "w0", "", 0, true),
            ("w0", "UP", "w0", "", 1, false),
            // A backup counts only while backups are in use.
            ("UP", "backup", "backup", "", 0, true),
            ("UP", "DOWN", "backup", "", 0, true),
            ("backup", "UP", "backup", "", 1, false),
            ("backup", "DOWN", "backup", "", 1, true),
            ("backup", "DOWN", "backup", "UP", 0, false),
            ("DOWN", "backup", "backup", "", 2, false),
            // All of production is down: whoever serves nothing may leave.
            ("DOWN", "DOWN", "DOWN", "backup", 0, false),
            ("rising", "DOWN", "DOWN", "", 0, false),
            ("drain", "DOWN", "DOWN", "", 0, false),
            ("maint", "UP", "UP", "", 2, false),
            // Who is about to fall still gets requests, and of a word that nobody knows the worst is taken.
            ("falling", "DOWN", "DOWN", "", 0, true),
            ("odd", "DOWN", "DOWN", "", 0, true),
        ] {
            let mut servers: Vec<Server> =
                [("web1", web1), ("web2", web2), ("web3", web3)].map(|(name, told)| server(name, told)).into();
            if !sorry.is_empty() {
                servers.push(server("sorry", sorry));
            }
            let capacity = Capacity::of(&fleet, &fleet.balancers[0], "www", &servers, &fleet.hosts[..1]);
            let seen = (capacity.stay, capacity.all, capacity.shrinks);
            assert_eq!(seen, (stay, 3, shrinks), "{web1}, {web2}, {web3}, {sorry}: {capacity:?}");
        }
        let servers = [("web1", "UP"), ("web2", "w0"), ("web3", "backup")].map(|(name, told)| server(name, told));
        let capacity = Capacity::of(&fleet, &fleet.balancers[0], "www", &servers, &fleet.hosts[..1]);
        assert_eq!(capacity.idle, ["`web2` has weight 0", "`web3` is a backup"]);
    }
}
