//! How each tool runs `true` on hosts.
use super::{contender::Contender, site::Site, tools};
use lab::Host;
use std::sync::Arc;

/// Returns what each tool types to run `true` on hosts with new connections.
pub fn cold(site: &Site, hosts: &[&Arc<Host>], work: &str) -> Vec<Contender> {
    let count = hosts.len();
    let mut all = Vec::new();
    let addressed = |with: fn(&Host) -> String| -> String { hosts.iter().map(|host| with(host)).collect() };
    if let Some(python) = tools::python("classic") {
        let pairs = addressed(|host| format!("(\"{}\", {}),", host.address, host.port));
        let script = site.put(
            &format!("library-{count}.py"),
            &format!(
                "from pssh.clients import ParallelSSHClient\nfrom pssh.config import HostConfig\nat = [{pairs}]\n\
                 client = ParallelSSHClient([a for a, _ in at], host_config=[HostConfig(port=p, user=\"deploy\", \
                 private_key=\"{}\") for _, p in at], pool_size={count})\nout = client.run_command(\"true\")\n\
                 client.join(out)\nassert len(out) == {count} and all(one.exit_code == 0 for one in out)\n",
                site.key()
            ),
        );
        all.push(Contender::new(work, "parallel-ssh", format!("{python} {script}")));
        let script = site.put(&format!("classic-{count}.py"), &classic(site, hosts));
        let fab = tools::fab().expect("it is beside Python");
        all.push(Contender::new(work, "fab-classic", format!("{fab} -f {script} nothing")));
    }
    if let Some(python) = tools::python("fabric") {
        let names = addressed(|host| format!("\"deploy@{}:{}\",", host.address, host.port));
        let script = site.put(
            &format!("fabric-{count}.py"),
            &format!(
                "from fabric import ThreadingGroup\ngroup = ThreadingGroup({names} connect_kwargs={{\"key_filename\": \
                 \"{}\", \"look_for_keys\": False, \"allow_agent\": False}})\n\
                 assert len(group.run(\"true\", hide=True)) == {count}\n",
                site.key()
            ),
        );
        all.push(Contender::new(work, "Fabric 3", format!("{python} {script}")));
    }
    if tools::has("parallel-ssh") {
        let names = site.put(&format!("names-{count}"), &addressed(|host| format!("{}\n", host.plan.name)));
        let line = format!("parallel-ssh -h {names} -p {count} -t 120 -x '-F {}' true", site.config());
        all.push(Contender::new(work, "pssh", line));
    }
    if tools::has("ansible") {
        let inventory = site.put(&format!("inventory-{count}"), &inventory(site, hosts));
        let line = format!("ansible all -i {inventory} -f {count} -m raw -a true");
        all.push(Contender::new(work, "Ansible", line).after(CLOSE_ANSIBLE));
    }
    all
}

/// Closes the connections that Ansible keeps open.
pub const CLOSE_ANSIBLE: &str =
    "for socket in \"$HOME\"/.ansible/cp/*; do ssh -o ControlPath=\"$socket\" -O exit any 2> /dev/null || true; done";

/// Returns a fabfile of Fabric 1 for these hosts; its task `nothing` runs `true`.
pub fn classic(site: &Site, hosts: &[&Arc<Host>]) -> String {
    let names: String = hosts.iter().map(|host| format!("\"deploy@{}:{}\",", host.address, host.port)).collect();
    format!(
        "from fabric.api import *\nenv.hosts = [{names}]\nenv.key_filename = \"{}\"\nenv.no_agent = True\n\
         env.use_ssh_config = False\nenv.no_keys = True\nenv.system_known_hosts = \"{}\"\nenv.reject_unknown_hosts = True\n\
         env.shell = \"/bin/sh -c\"\nenv.parallel = True\nenv.pool_size = {}\n\ndef nothing():\n    \
         run(\"true\", pty=False)\n",
        site.key(),
        site.known_hosts(),
        hosts.len()
    )
}

/// Returns an inventory of Ansible.
pub fn inventory(site: &Site, hosts: &[&Arc<Host>]) -> String {
    let names: String = hosts.iter().map(|host| format!("{}\n", host.plan.name)).collect();
    format!(
        "[web]\n{names}\n[web:vars]\nansible_user=deploy\nansible_ssh_common_args=-F {}\n\
         ansible_python_interpreter=/usr/bin/python3\nansible_pipelining=true\n",
        site.config()
    )
}
