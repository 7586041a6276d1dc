//! The names of hosts in a balancer's pools.
use super::{
    Balancer,
    placeholder::filled,
    section::{Section, expected},
    tree::{Node, NodeValue},
    value,
    wrong::Problem,
};
use crate::host::{Host, Name};
use std::collections::BTreeMap;

/// The names of a host's servers by pool, such as `{name}` or `{name}-a`. A pool that is missing has `{name}`.
pub(super) type ServerNames = BTreeMap<Name, Vec<String>>;

/// The default for a server's name.
pub(super) const NAME: &str = "{name}";

/// Reads `server`: a text, a list if each host is several servers, or a table of both by pool.
pub(super) fn read(node: &Node, pools: &BTreeMap<Name, Name>, problems: &mut Vec<Problem>) -> ServerNames {
    let NodeValue::Table(_) = node.value else {
        return match patterns(node) {
            Ok(patterns) => pools.keys().map(|pool| (pool.clone(), patterns.clone())).collect(),
            Err(problem) => {
                problems.push(problem);
                ServerNames::new()
            }
        };
    };
    let known: Vec<&str> = pools.keys().map(|pool| &**pool).collect();
    let Some(section) = Section::of(node, &known, problems) else { return ServerNames::new() };
    let mut names = ServerNames::new();
    for entry in section.entries() {
        match patterns(&entry.node) {
            Ok(patterns) => drop(names.insert(Name::from(entry.key.as_str()), patterns)),
            Err(problem) => problems.push(problem),
        }
    }
    names
}

fn patterns(node: &Node) -> Result<Vec<String>, Problem> {
    let text = |node| value::text(node).map(str::to_owned);
    match node.value {
        NodeValue::Text(_) => Ok(vec![text(node)?]),
        NodeValue::List(_) => value::filled(node, value::list(node, "server names", text)?),
        _ => Err(expected("a server's name such as \"{name}\", several of them, or either by pool", node)),
    }
}

/// Checks that each server of a pool has its own name.
pub(super) fn check(node: &Node, balancer: &Balancer, hosts: &[Host]) -> Result<(), Problem> {
    for (pool, role) in &balancer.pools {
        let mut taken: BTreeMap<String, &Name> = BTreeMap::new();
        for host in hosts.iter().filter(|host| host.roles.contains(role)) {
            for pattern in balancer.patterns(pool) {
                let filled = filled(pattern, host).map_err(|placeholder| {
                    let message = format!("`{placeholder}` has no value at `{}`", host.name);
                    Problem::new(message, node.place("has no value here"))
                        .help("write {name}, {n} (the number at its end), or one of the host's own keys in `[hosts]`")
                })?;
                if !value::is_name(&filled) {
                    let message = format!("`{pattern}` doesn't produce a valid server name");
                    return Err(Problem::new(message, node.place("not a name")).help(value::why_no_name(&filled)));
                }
                if let Some(other) = taken.insert(filled.clone(), &host.name) {
                    let whose = if *other == host.name {
                        format!("`{other}` twice")
                    } else {
                        format!("`{other}` and `{}`", host.name)
                    };
                    let message = format!("{whose} would be the server `{filled}` of `{pool}`");
                    return Err(Problem::new(message, node.place("one name for both"))
                        .help("add `{name}`, which is the host's name, or `{n}`, the number at its end"));
                }
            }
        }
    }
    Ok(())
}

impl Balancer {
    fn patterns(&self, pool: &str) -> impl Iterator<Item = &str> {
        let of_pool = self.servers.get(pool).map(Vec::as_slice).unwrap_or_default();
        // The journals of older runs have one name for all pools.
        let of_all = of_pool.is_empty().then_some(&*self.server);
        of_pool.iter().map(String::as_str).chain(of_all)
    }

    /// Lists the names that a host has in a pool of this balancer.
    pub fn servers_of(&self, pool: &str, host: &Host) -> Vec<String> {
        // In a fleet that was read, each placeholder has a value.
        self.patterns(pool).map(|pattern| filled(pattern, host).unwrap_or_else(|_| pattern.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{balancer::places, fleet::tests::read_text};

    #[test]
    fn a_host_has_the_names_in_each_pool_that_the_fleet_file_says() {
        for (server, wanted) in [
            ("", ["lb1/api/web07", "lb1/www/web07"].as_slice()),
            ("server = \"s-{name}\"", &["lb1/api/s-web07", "lb1/www/s-web07"]),
            ("server = { www = \"{name}-www\" }", &["lb1/api/web07", "lb1/www/web07-www"]),
            ("server = \"www{n}\"", &["lb1/api/www7", "lb1/www/www7"]),
            ("server = \"{slot}.{port}\"", &["lb1/api/blue.80", "lb1/www/blue.80"]),
            (
                "server = { www = [\"{name}-a\", \"{name}-b\"], api = \"{slot}\" }",
                &["lb1/api/blue", "lb1/www/web07-a", "lb1/www/web07-b"],
            ),
        ] {
            let fleet = read_text(&format!(
                "[hosts]\nweb07 = {{ roles = [\"web\", \"api\"], slot = \"blue\", port = 80 }}\njobs1 = {{ roles = [\"worker\"] }}\n\
                 [balancer.lb1]\ndriver = \"haproxy\"\nhost = \"a\"\nsocket = \"/run/a.sock\"\n\
                 pools = {{ www = \"web\", api = \"api\" }}\n{server}\n",
            ));
            let of = |n: usize| {
                let all = places(&fleet, &fleet.hosts[n]).into_iter();
                all.map(|p| format!("{}/{}/{}", p.balancer, p.pool, p.server)).collect::<Vec<_>>()
            };
            assert_eq!(of(0), wanted, "{server}");
            assert_eq!(of(1), [""; 0]);
        }
    }
}
