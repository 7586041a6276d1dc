//! Checks that enough servers of a pool stay live when hosts leave it.
use super::Allowances;
use crate::{
    balancer::{Balance, places},
    effect::Admin,
    failure::{Cause, Failure},
    fleet::{Balancer, Fleet},
    host::{Host, Name},
    port::{Checked, Server},
};

/// Checks I1 and I2; counts the whole group before its first host goes out.
pub(super) fn enough_live(
    fleet: &Fleet,
    hosts: &[Host],
    balance: &Balance,
    allowed: &Allowances,
) -> Result<(), Failure> {
    for (balancer, pool) in pools_of(fleet, hosts) {
        let servers = balance.pool(&balancer.name, pool);
        let wanted = fleet.min_live(balancer, pool).max(1);
        let capacity = Capacity::of(fleet, balancer, pool, servers, hosts);
        if !capacity.shrinks || capacity.stay >= wanted || allowed.allow_outage.iter().any(|p| *p == **pool) {
            continue;
        }
        let Capacity { stay, all, idle, .. } = capacity;
        let idle = if idle.is_empty() { String::new() } else { format!(". {}", idle.join(", ")) };
        let message = format!("pool `{pool}`: {stay} of {all} hosts would stay live, but it needs {wanted}{idle}");
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

/// Returns the pools that the hosts are in.
fn pools_of<'a>(fleet: &'a Fleet, hosts: &[Host]) -> Vec<(&'a Balancer, &'a Name)> {
    let pools = fleet.balancers.iter().flat_map(|b| b.pools.iter().map(move |(pool, role)| (b, pool, role)));
    let stands = |role: &Name| hosts.iter().any(|host| host.roles.contains(role));
    pools.filter(|(_, _, role)| stands(role)).map(|(b, pool, _)| (b, pool)).collect()
}

/// What remains of a pool after hosts have left it. Servers that aren't in the fleet don't count.
#[derive(Debug, PartialEq)]
struct Capacity {
    /// Healthy hosts that still get requests then.
    stay: usize,
    all: usize,
    /// Whether any of the leaving hosts may get requests at the moment.
    shrinks: bool,
    /// Why servers that are ready and stay don't count: they are down, or they get no requests.
    idle: Vec<String>,
}

impl Capacity {
    fn of(fleet: &Fleet, balancer: &Balancer, pool: &str, servers: &[Server], leaving: &[Host]) -> Capacity {
        // A balancer sends requests to backups only if no other server can take them.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a server of a pool from a description such as `drain`, `w0`, `backup DOWN`.
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
        // web1 leaves; `sorry` isn't in the fleet.
        for (web1, web2, web3, sorry, stay, shrinks) in [
            ("UP", "UP", "UP", "", 2, true),
            ("UP", "drain", "UP", "", 1, true),
            ("UP", "falling", "rising", "", 0, true),
            ("UP", "maint", "odd", "", 0, true),
            // B3: a foreign server isn't capacity, backup or not.
            ("UP", "drain", "drain", "backup", 0, true),
            ("UP", "drain", "drain", "UP", 0, true),
            // B4: a server with weight 0 gets nothing.
            ("UP", "w0", "w0", "", 0, true),
            ("w0", "UP", "w0", "", 1, false),
            // A backup counts only while backups are in use.
            ("UP", "backup", "backup", "", 0, true),
            ("UP", "DOWN", "backup", "", 0, true),
            ("backup", "UP", "backup", "", 1, false),
            ("backup", "DOWN", "backup", "", 1, true),
            ("backup", "DOWN", "backup", "UP", 0, false),
            ("DOWN", "backup", "backup", "", 2, false),
            // All of production is down: a host that serves nothing may leave.
            ("DOWN", "DOWN", "DOWN", "backup", 0, false),
            ("rising", "DOWN", "DOWN", "", 0, false),
            ("drain", "DOWN", "DOWN", "", 0, false),
            ("maint", "UP", "UP", "", 2, false),
            // A falling server still gets requests; an unknown word counts as the worst case.
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
