//! The order in which a fleet is deployed to.
use super::{
    Fleet,
    hosts::FleetNames,
    schema,
    section::Section,
    tree::{Node, NodeValue},
    value,
    wrong::Problem,
};
use crate::host::{Host, Name};
use std::collections::HashSet;

const KEYS: [&str; 1] = schema::names(&schema::ROLL);

/// Reads `[roll]`; `pooled` returns whether a host is in a pool.
pub(super) fn read(
    node: Option<&Node>,
    hosts: &[Host],
    names: &FleetNames,
    pooled: impl Fn(&Host) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Name> {
    let section = node.and_then(|node| Section::of(node, &KEYS, problems));
    let written = section.as_ref().and_then(|section| section.find("order"));
    let Some(node) = written else {
        return default(hosts, pooled);
    };
    let read = value::list(node, "a list of groups and roles", |item| {
        let name = value::name(item)?;
        names.group_or_role(&name, item.place("not known"))?;
        Ok(name)
    });
    match read {
        Ok(order) => {
            problems.extend(gap(node, &order, hosts, &pooled).or_else(|| upside_down(node, &order, hosts, &pooled)));
            order
        }
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    }
}

/// Returns the groups in the order of the hosts, then the roles of hosts in no pool.
pub(super) fn default(hosts: &[Host], pooled: impl Fn(&Host) -> bool) -> Vec<Name> {
    let mut order: Vec<Name> = Vec::new();
    let groups = hosts.iter().filter_map(|host| host.group.as_ref());
    let roles = hosts.iter().filter(|host| !pooled(host)).flat_map(|host| &host.roles);
    for name in groups.chain(roles) {
        if !order.contains(name) {
            order.push(name.clone());
        }
    }
    order
}

/// Returns whether a name is the group or a role of a host.
pub(super) fn is_of(host: &Host, name: &Name) -> bool {
    host.group.as_ref() == Some(name) || host.roles.contains(name)
}

/// Refuses an order that names no group or role of a pool's host.
fn gap(node: &Node, order: &[Name], hosts: &[Host], pooled: impl Fn(&Host) -> bool) -> Option<Problem> {
    let left: Vec<&Host> =
        hosts.iter().filter(|host| pooled(host) && !order.iter().any(|name| is_of(host, name))).collect();
    let first = left.first()?;
    let more = if left.len() > 1 { format!(" and {} more", left.len() - 1) } else { String::new() };
    let name = first.group.as_ref().or(first.roles.first()).unwrap_or(&first.name);
    Some(
        Problem::new(format!("the order leaves out `{first}`{more}"), node.place("not all hosts of the pools"))
            .help(format!("add `{name}`, or leave `order` out")),
    )
}

/// Refuses an order in which hosts in no pool come before hosts in one.
fn upside_down(node: &Node, order: &[Name], hosts: &[Host], pooled: impl Fn(&Host) -> bool) -> Option<Problem> {
    let in_pool = |name: &Name| hosts.iter().any(|host| is_of(host, name) && pooled(host));
    let last = order.iter().rposition(in_pool)?;
    let early = order[..last].iter().position(|name| !in_pool(name))?;
    let place = match &node.value {
        NodeValue::List(items) => items[early].place("in no pool"),
        _ => node.place("in no pool"),
    };
    let message = format!("`{}` comes before `{}`, but hosts in no pool come last", order[early], order[last]);
    Some(Problem::new(message, place).help(format!("move `{}` to the end", order[early])))
}

impl Fleet {
    /// Splits hosts into the stretches that are deployed one after another, each with its name.
    ///
    /// Hosts in a pool come first, by `order`, then the others, also by `order`. A host that the order doesn't name is
    /// a stretch by itself, at the end of its kind. Within a stretch, the hosts keep the fleet's order.
    pub fn stretches(&self, hosts: &[Host]) -> Vec<(Name, Vec<Host>)> {
        let given: HashSet<&Name> = hosts.iter().map(|host| &host.name).collect();
        let (pooled, rest): (Vec<&Host>, Vec<&Host>) =
            self.hosts.iter().filter(|host| given.contains(&host.name)).partition(|host| self.in_pool(host));
        [pooled, rest].into_iter().flat_map(|hosts| self.stretches_of(hosts)).collect()
    }

    fn stretches_of(&self, mut hosts: Vec<&Host>) -> Vec<(Name, Vec<Host>)> {
        let mut stretches = Vec::new();
        for name in &self.order {
            let (here, rest): (Vec<&Host>, Vec<&Host>) = hosts.into_iter().partition(|host| is_of(host, name));
            hosts = rest;
            if !here.is_empty() {
                stretches.push((name.clone(), here.into_iter().cloned().collect()));
            }
        }
        stretches.extend(hosts.into_iter().map(|host| (host.name.clone(), vec![host.clone()])));
        stretches
    }
}

#[cfg(test)]
mod tests {
    use crate::fleet::{
        Fleet,
        tests::{SHOP, read_text},
    };

    const HOSTS: &str = r#"
        [hosts]
        jobs1 = { roles = ["worker"] }
        web1 = { group = "blue", roles = ["web"] }
        web2 = { group = "green", roles = ["web"] }
        web3 = { group = "blue", roles = ["web"] }
        mail1 = { roles = ["mail"] }
        other1 = {}
        web4 = { roles = ["web"] }
        web5 = { roles = ["web"] }
        jobs2 = { group = "blue", roles = ["worker"] }
        [balancer.lb1]
        driver = "haproxy"
        host = "lb1"
        socket = "/run/a.sock"
        pools = { web = "web" }
    "#;

    fn shown(fleet: &Fleet, keep: impl Fn(&str) -> bool) -> String {
        let mut hosts: Vec<_> = fleet.hosts.iter().filter(|host| keep(&host.name)).cloned().collect();
        hosts.reverse();
        let stretches = fleet.stretches(&hosts);
        let shown = stretches.iter().map(|(name, hosts)| {
            let hosts: Vec<&str> = hosts.iter().map(|host| &*host.name).collect();
            format!("{name}: {}", hosts.join(" "))
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn without_an_order_groups_come_as_they_appear_and_hosts_in_no_pool_last() {
        let fleet = read_text(HOSTS);
        assert_eq!(fleet.order, ["blue", "green", "worker", "mail"].map(crate::host::Name::from));
        assert_eq!(
            shown(&fleet, |_| true),
            "blue: web1 web3, green: web2, web4: web4, web5: web5, blue: jobs2, worker: jobs1, mail: mail1, other1: other1"
        );
        assert_eq!(shown(&fleet, |name| name.ends_with('2')), "green: web2, blue: jobs2");
        assert_eq!(shown(&fleet, |_| false), "");
    }

    #[test]
    fn a_written_order_holds() {
        let fleet = read_text(&format!("{HOSTS}\n[roll]\norder = [\"green\", \"blue\", \"web\", \"mail\"]"));
        assert_eq!(
            shown(&fleet, |_| true),
            "green: web2, blue: web1 web3, web: web4 web5, blue: jobs2, mail: mail1, jobs1: jobs1, other1: other1"
        );
    }

    #[test]
    fn the_shop_goes_group_by_group() {
        let fleet = read_text(SHOP);
        let stretches = fleet.stretches(&fleet.hosts);
        let sizes: Vec<_> = stretches.iter().map(|(name, hosts)| (&**name, hosts.len())).collect();
        assert_eq!(sizes, [("group1", 21), ("group2", 21), ("worker", 1)]);
    }
}
