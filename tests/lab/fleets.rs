//! The files that a team writes for its servers: fleet files, ssh configuration and known hosts.
use super::{
    haproxy::Balancer,
    host::Host,
    plan::{BalancerPlan, Sudo},
    reach,
    space::Level,
};
use std::{fmt::Write, path::Path, sync::Arc};

/// Adds a balancer's section.
fn balanced_by(text: &mut String, balancer: &Balancer) {
    let pools: Vec<String> = balancer.plan.pools.iter().map(|(pool, role)| format!("{pool} = \"{role}\"")).collect();
    let BalancerPlan { name, shape, .. } = &balancer.plan;
    let server = match &*shape.names {
        [] => "\"{name}\"".to_owned(),
        [one] if one.contains("{pool}") => {
            let of = |(pool, _): &(&str, &str)| format!("{pool} = {:?}", one.replace("{pool}", pool));
            format!("{{ {} }}", balancer.plan.pools.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        [one] => format!("{one:?}"),
        all => format!("{all:?}"),
    };
    let _ = write!(
        text,
        "\n[balancer.{name}]\ndriver = \"haproxy\"\nhost = \"{name}\"\nsocket = \"{}\"\n\
         pools = {{ {} }}\nserver = {server}\n",
        balancer.socket(),
        pools.join(", ")
    );
    if !shape.fleet.iter().any(|line| line.starts_with("drain_within")) {
        text.push_str("drain_within = \"10s\"\n");
    }
    for line in &shape.fleet {
        let _ = writeln!(text, "{line}");
    }
}

/// Returns the fleet file of that name: its hosts, and the balancers for `prod`.
pub fn toml(fleet: &str, hosts: &[Arc<Host>], balancers: &[Balancer]) -> String {
    let mine: Vec<&Arc<Host>> = hosts.iter().filter(|host| host.plan.fleet == Some(fleet)).collect();
    let by_sudo = Level::here().is_root() && mine.iter().all(|host| host.plan.sudo != Sudo::None);
    let balanced = fleet == "prod" && !balancers.is_empty();
    let mut text = String::from("ssh = \"ssh_config\"\nuser = \"deploy\"\n");
    if reach::is_native() {
        text.push_str("transport = \"native\"\n");
    }
    if !balanced {
        text.push_str("deploy_live = true\n");
    }
    text.push_str("\n[app]\nrepository = \".\"\npath = \"/srv/shop\"\n");
    if by_sudo {
        text.push_str("user = \"shop\"\n");
    }
    text.push_str("keep = 3\nlinked = [\"public/uploads\", \"config/database.yml\"]\n\n[app.service]\n");
    let has = |role: &str| mine.iter().any(|host| host.plan.roles.contains(&role));
    let units = [("web", "web = [\"shop\"]"), ("worker", "worker = [\"shop-jobs\"]")];
    let units: Vec<&str> = units.into_iter().filter(|(role, _)| has(role)).map(|(_, unit)| unit).collect();
    let _ = writeln!(text, "units = {{ {} }}", units.join(", "));
    for verb in ["restart", "start", "stop", "status", "logs"] {
        let _ = if by_sudo {
            writeln!(text, "{verb} = \"lab-service {verb} {{unit}}\"")
        } else {
            writeln!(text, "{verb} = [\"lab-service\", \"{verb}\", \"{{unit}}\"]")
        };
    }
    text.push_str("\n[app.health]\nurl = \"http://{address}:8080/health\"\nversion = \"header:X-Release\"\n");
    text.push_str("good = 3\nover = \"1s\"\nwithin = \"15s\"\nsettle = \"200ms\"\n\n[hosts]\n");
    for host in &mine {
        let group = host.plan.group.map(|group| format!("group = \"{group}\", ")).unwrap_or_default();
        let roles: Vec<String> = host.plan.roles.iter().map(|role| format!("\"{role}\"")).collect();
        let (name, address) = (host.plan.name, host.address);
        let _ = writeln!(text, "{name} = {{ {group}roles = [{}], address = \"{address}\" }}", roles.join(", "));
    }
    for balancer in balancers.iter().filter(|_| balanced) {
        balanced_by(&mut text, balancer);
    }
    let mut groups: Vec<&str> = Vec::new();
    for group in mine.iter().filter_map(|host| host.plan.group) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    if groups.len() > 1 {
        let _ = writeln!(text, "\n[roll]\norder = {groups:?}");
    }
    text
}

/// Returns the ssh configuration beside the fleet files: where each host is, and the operator's key.
pub fn ssh_config(hosts: &[Arc<Host>], key: &Path) -> String {
    let mut text = String::new();
    for host in hosts {
        let (name, address, port) = (host.plan.name, host.address, host.port);
        let (at, via) = match host.plan.behind {
            Some(jump) => (host.inner_name(), format!("    ProxyJump {jump}\n")),
            None => (address.to_string(), String::new()),
        };
        let _ = write!(
            text,
            "Host {name} {address}\n    HostName {at}\n    Port {port}\n    User deploy\n    IdentityFile {}\n    \
             IdentitiesOnly yes\n{via}\n",
            key.display()
        );
    }
    text
}

/// Returns the known-hosts file beside the fabfile.
pub fn known_hosts(hosts: &[Arc<Host>]) -> String {
    let machines = hosts.iter().filter(|host| host.plan.is_machine());
    machines.map(|host| format!("{} {}\n", host.known_as(), host.host_key())).collect()
}
