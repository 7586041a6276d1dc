//! The `[balancer.NAME]` tables of a fleet.
use super::{
    Balancer, DriverSettings, MinLive,
    hosts::FleetNames,
    schema,
    section::{Section, expected},
    servers,
    tree::{KeyValue, Node, NodeValue},
    value,
    wrong::Problem,
};
use crate::host::{Host, Name};
use std::{collections::BTreeMap, time::Duration};

const KEYS: [&str; 8] = schema::names(&schema::BALANCER);

/// The longest path of a Unix socket, in bytes.
const LONGEST_SOCKET: usize = 107;

/// Reads the balancers by name; `hosts` are the fleet's.
pub(super) fn read(
    node: &Node,
    fleet: &Name,
    hosts: &[Host],
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Vec<Balancer> {
    let Some(section) = Section::any(node, problems) else {
        return Vec::new();
    };
    if let Some(entry) = section.entries().iter().find(|entry| !matches!(entry.node.value, NodeValue::Table(_))) {
        problems.push(
            expected("a table", &entry.node).help("name the balancer: `[balancer.lb1]`, and its keys below that"),
        );
        return Vec::new();
    }
    let mut balancers: Vec<Balancer> = Vec::new();
    for entry in section.entries() {
        let Some(balancer) = one(entry, fleet, hosts, names, problems) else {
            continue;
        };
        let same = |b: &&Balancer| b.host.address() == balancer.host.address() && b.driver == balancer.driver;
        if let Some(first) = balancers.iter().find(same) {
            let message = format!("`{}` and `{}` are the same balancer", first.name, balancer.name);
            problems.push(
                Problem::new(message, entry.place("again"))
                    .help("put the pools of both into one table, or check `host` and `socket`"),
            );
        }
        balancers.push(balancer);
    }
    balancers.sort_by(|a, b| a.name.cmp(&b.name));
    balancers
}

fn one(
    entry: &KeyValue,
    fleet: &Name,
    hosts: &[Host],
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Option<Balancer> {
    if !value::is_name(&entry.key) {
        let message = format!("`{}` isn't a name", entry.key);
        problems.push(Problem::new(message, entry.place("not a name")).help(value::why_no_name(&entry.key)));
    }
    let section = Section::of(&entry.node, &KEYS, problems)?;
    let by_hand = section.need("driver", problems, by_hand);
    let manual = by_hand == Some(true);
    // A balancer without a machine keeps its state on the first host, as does a fleet without balancers.
    let first = || hosts.iter().map(|host| &*host.name).min().map(str::to_owned);
    let address = match section.find("host") {
        None if manual => first().map(Name::from),
        _ => section.need("host", problems, value::address),
    };
    let driver = driver(&section, manual, problems);
    if section.find("pools").is_none() {
        problems.push(section.lacks("pools"));
    }
    let pools = section.find("pools").map(|node| pools(node, names, problems));
    let server = section.find("server");
    let servers = match (server, &pools) {
        (Some(node), Some(pools)) => servers::read(node, pools, problems),
        _ => servers::ServerNames::new(),
    };
    let drain_within = section.get("drain_within", problems, value::wait).unwrap_or(Duration::from_secs(60));
    let force_close = section.get("force_close", problems, value::yes).unwrap_or(false);
    let min_live = section.get("min_live", problems, min_live);
    if let (Some(MinLive::Count(wanted)), Some(pools), Some(node)) = (min_live, &pools, section.find("min_live")) {
        problems.extend(too_many(node, wanted, pools, hosts));
    }
    let (address, driver, pools, _) = (address?, driver?, pools?, by_hand?);
    let host = machine(fleet, address, hosts);
    let name = Name::from(entry.key.as_str());
    let own = servers::NAME.to_owned();
    let balancer = Balancer { name, host, driver, pools, server: own, servers, drain_within, force_close, min_live };
    problems.extend(server.and_then(|node| servers::check(node, &balancer, hosts).err()));
    Some(balancer)
}

/// Reads the driver and the keys that it needs.
fn driver(section: &Section<'_>, manual: bool, problems: &mut Vec<Problem>) -> Option<DriverSettings> {
    match section.find("socket") {
        None if manual => Some(DriverSettings::Manual),
        Some(node) if manual => {
            problems.push(
                Problem::new("a balancer that is changed by hand has no `socket`", node.place("not with `manual`"))
                    .help("leave it out; keep `host` if rfab can log in there: it then keeps the lock and the ledger"),
            );
            None
        }
        _ => section.need("socket", problems, socket).map(|socket| DriverSettings::Haproxy { socket }),
    }
}

/// Refuses a `min_live` that is larger than one of the pools.
fn too_many(node: &Node, wanted: usize, pools: &BTreeMap<Name, Name>, hosts: &[Host]) -> Vec<Problem> {
    let size = |role: &Name| hosts.iter().filter(|host| host.roles.contains(role)).count();
    let small = pools.iter().map(|(pool, role)| (pool, size(role))).filter(|(_, size)| wanted > *size);
    let problem = |(pool, size): (&Name, usize)| {
        let message = format!("pool `{pool}` has {size} servers, so {wanted} can never be live");
        Problem::new(message, node.place(format!("at most {size}")))
    };
    small.map(problem).collect()
}

/// Returns the machine that a balancer is on. If a host has the same name, the machine has its address.
fn machine(fleet: &Name, name: Name, hosts: &[Host]) -> Host {
    let address = hosts.iter().find(|host| host.name == name).and_then(|host| host.address.clone());
    Host { fleet: fleet.clone(), name, address, group: None, roles: Vec::new(), vars: BTreeMap::new() }
}

/// Reads whether a person changes the balancer.
fn by_hand(node: &Node) -> Result<bool, Problem> {
    value::one_of(node, &[("haproxy", false), ("manual", true)])
}

/// Reads an absolute path, or an address and a port such as `127.0.0.1:9999` or `[::1]:9999`.
fn socket(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    if !text.starts_with('/') && text.contains(':') {
        return match address_and_port(text) {
            Some(_) => Ok(text.to_owned()),
            None => Err(Problem::new(format!("`{text}` isn't an address and a port"), node.place("not an address"))
                .help("write a path, or an address such as `127.0.0.1:9999` or `[::1]:9999`, as seen from the balancer's machine")),
        };
    }
    let path = value::path(node)?;
    if path.len() > LONGEST_SOCKET {
        let message = format!("the socket's path has {} bytes", path.len());
        return Err(Problem::new(message, node.place(format!("at most {LONGEST_SOCKET}"))));
    }
    Ok(path.to_owned())
}

fn pools(node: &Node, names: &FleetNames, problems: &mut Vec<Problem>) -> BTreeMap<Name, Name> {
    let mut pools = BTreeMap::new();
    let Some(section) = Section::any(node, problems) else {
        return pools;
    };
    if section.entries().is_empty() {
        problems.push(
            Problem::new("the balancer has no pools", node.place("nothing in it"))
                .help("write the balancer's backend and the role of its servers: `{ bk_web = \"web\" }`"),
        );
    }
    for entry in section.entries() {
        if !value::is_name(&entry.key) {
            let message = format!("`{}` isn't a pool's name", entry.key);
            problems.push(Problem::new(message, entry.place("not a name")).help(value::why_no_name(&entry.key)));
        }
        let role = value::name(&entry.node)
            .and_then(|role| names.role(&role, entry.node.place("not the role of a host")).map(|()| role));
        match role {
            Ok(role) => drop(pools.insert(Name::from(entry.key.as_str()), role)),
            Err(problem) => problems.push(problem),
        }
    }
    pools
}

/// Splits `127.0.0.1:9999`, `[::1]:9999` or `localhost:9999`. The address has no brackets.
pub fn address_and_port(text: &str) -> Option<(String, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !address.is_empty() && address.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)),
    };
    good.then(|| (inner.unwrap_or(address).to_owned(), port))
}

/// Reads a number of servers, or a share such as `"80%"`.
fn min_live(node: &Node) -> Result<MinLive, Problem> {
    let never = |label: &str| {
        Err(Problem::new("zero isn't allowed: it would leave no server live", node.place(label))
            .help("write at least 1; to allow an outage for one run, type `--allow-outage POOL`"))
    };
    match &node.value {
        NodeValue::Whole(0) => never("never below 1"),
        NodeValue::Whole(_) => Ok(MinLive::Count(value::whole(node, 1)? as usize)),
        NodeValue::Text(text) => match text.strip_suffix('%').and_then(|number| number.parse::<u8>().ok()) {
            Some(0) => never("never 0%"),
            Some(percent @ 1..=100) => Ok(MinLive::Percent(percent)),
            _ => Err(Problem::new(format!("`{text}` isn't a share of a pool"), node.place("not a share"))
                .help("write a number of servers such as 18, or a share such as \"80%\"")),
        },
        _ => Err(expected("a number of servers or a share such as \"80%\"", node)),
    }
}
