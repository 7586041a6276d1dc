//! What a team writes beside its fabfile: the fleet, the ssh configuration and the known hosts.
use super::{
    host::{BALANCER, GROUPS, Host, USER},
    unit::SHOP,
};
use std::{fmt::Write, path::Path};

/// The project's own fabfile.
pub const FABFILE: &str = include_str!("../../fabfile.rhai");
/// The pool's name.
pub const POOL: &str = "bk_web";
/// What is kept in `shared/` across releases.
pub const LINKED: [&str; 1] = ["public/uploads"];
/// Where the balancer's admin socket is, below its machine's folder.
pub const SOCKET: &str = "admin.sock";

/// The fleet file `prod.toml`, for machines below `root`.
pub fn fleet(root: &Path, hosts: &[impl AsRef<Host>]) -> String {
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
within  = "10s"

[hosts]
"#,
        root = root.display(),
        port = hosts.first().map_or(0, |host| host.as_ref().app.port()),
    );
    for host in hosts.iter().map(AsRef::as_ref) {
        let Some(group) = host.group else { continue };
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
drain_within = "10s"

[roll]
order = {:?}
"#,
        root.join(BALANCER).join(SOCKET).display(),
        GROUPS.map(|(group, _)| group),
    );
    text
}

/// The ssh configuration: where each machine is, and the operator's key.
pub fn ssh_config(hosts: &[impl AsRef<Host>], key: &Path) -> String {
    let block = |host: &Host| {
        format!(
            "Host {} {address}\n    HostName {address}\n    Port {}\n\n",
            host.name,
            host.ssh.port(),
            address = host.address()
        )
    };
    let blocks: String = hosts.iter().map(|host| block(host.as_ref())).collect();
    format!("{blocks}Host *\n    IdentityFile {}\n    IdentitiesOnly yes\n    IdentityAgent none\n", key.display())
}

/// The machines' keys, as ssh knows them.
pub fn known_hosts(hosts: &[impl AsRef<Host>]) -> String {
    hosts.iter().map(|host| host.as_ref().known()).collect()
}
