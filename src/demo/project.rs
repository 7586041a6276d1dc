//! What a team writes besides its fabfile: the fleet, the ssh configuration and the known hosts.
use super::{
    fleet::{BALANCER, GROUPS, POOL, SOCKET},
    host::{DemoHost, USER},
    hosts::Hosts,
    operator::Operator,
    repository::DemoRepository,
    unit::SHOP,
};
use crate::failure::Failure;
use std::{fmt::Write, path::Path};

/// The project's own fabfile.
const FABFILE: &str = include_str!("../../fabfile.rhai");

/// The paths that `shared/` keeps across releases.
pub(super) const LINKED: [&str; 1] = ["public/uploads"];

/// Makes the repository with everything that the team has written; nothing is committed yet.
pub(super) fn make(root: &Path, operator: &Operator, hosts: &Hosts) -> Result<DemoRepository, Failure> {
    let repository = DemoRepository::make(&operator.project, &root.join("shop.git"), &operator.home)?;
    let known: String = hosts.all.iter().map(|host| host.known()).collect();
    repository.write("fabfile.rhai", FABFILE)?;
    repository.write("fleets/prod.toml", &fleet(root, hosts))?;
    repository.write("fleets/ssh_config", &ssh_config(hosts, &operator.key_file))?;
    repository.write("known_hosts", &known)?;
    Ok(repository)
}

/// Returns the fleet file `prod.toml`.
fn fleet(root: &Path, hosts: &Hosts) -> String {
    let mut text = format!(
        r#"# The production fleet of the demo: its machines are folders of this one, so the app's path has their name.
ssh  = "ssh_config"
user = "{USER}"

[app]
repository = "."
path       = "{root}/{{name}}/srv/shop"
keep       = 3
linked     = {LINKED:?}

[app.service]
units   = {{ web = ["{SHOP}"] }}
restart = ["unit", "restart", "{{unit}}"]
start   = ["unit", "start", "{{unit}}"]
stop    = ["unit", "stop", "{{unit}}"]
status  = ["unit", "status", "{{unit}}"]
logs    = ["unit", "logs", "{{unit}}"]

[app.health]
url     = "http://{{address}}:{port}/health"
version = "header:X-Release"
good    = 3
over    = "500ms"
within  = "20s"

[hosts]
"#,
        root = root.display(),
        port = hosts.all[0].app.port(),
    );
    for host in hosts.web() {
        let group = host.group.unwrap_or_default();
        let _ = writeln!(
            text,
            "{} = {{ group = {group:?}, roles = [\"web\"], address = \"{}\" }}",
            host.name,
            host.address()
        );
    }
    let _ = write!(
        text,
        r#"
[balancer.{BALANCER}]
driver       = "haproxy"
host         = "{BALANCER}"
socket       = "{}"
pools        = {{ {POOL} = "web" }}
server       = "{{name}}"
drain_within = "20s"

[roll]
order = {:?}
"#,
        root.join(BALANCER).join(SOCKET).display(),
        GROUPS.map(|(group, _)| group),
    );
    text
}

/// Returns the ssh configuration: the address of each host, and the operator's key.
fn ssh_config(hosts: &Hosts, key: &Path) -> String {
    let block = |host: &DemoHost| {
        let (name, address, port) = (host.name, host.address(), host.ssh.port());
        format!("Host {name} {address}\n    HostName {address}\n    Port {port}\n\n")
    };
    let blocks: String = hosts.all.iter().map(|host| block(host)).collect();
    format!("{blocks}Host *\n    IdentityFile {}\n    IdentitiesOnly yes\n    IdentityAgent none\n", key.display())
}
