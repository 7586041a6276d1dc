//! The laboratory: real machines, a real HAProxy, a real git, and people who use the shop.
//!
//! A machine is an sshd in its own namespaces: it has its own users, sudo rules, login shells, `/srv` and `/run`, and
//! changes nothing on the real machine. All addresses are in 127.64.0.0/10, a block for each lab. All that a lab starts
//! is a child of its guard, and is gone moments after the lab is dropped or its owner killed.
//!
//! `RFAB_LAB_KEEP=1` keeps a lab's folder, with all its logs.

mod agent;
pub mod alone;
mod app;
mod block;
pub mod choices;
mod client;
mod debian;
mod deployed;
mod fleets;
pub mod forge;
mod guard;
mod haproxy;
mod host;
mod load;
mod needs;
mod output;
pub mod page;
pub mod part;
mod plan;
pub mod proc;
mod reach;
mod relay;
mod repository;
mod rfab;
pub mod runnable;
mod service;
mod silence;
mod space;
mod suite;
mod users;

pub use debian::Debian;
pub use haproxy::Balancer;
pub use host::Host;
pub use load::{Account, Load};
pub use needs::{needs_lab, needs_root, not_run};
pub use output::Output;
pub use plan::{BalancerPlan, HostPlan, Kind, PASSWORD, Plan, Shape, Socket, Sudo};
pub use reach::{natively, natively_but_for};
pub use relay::{Carried, Line, Relay};
pub use repository::Repository;
pub use rfab::{Run, Running, timeless};
pub use service::Unit;
pub use space::Level;
pub use suite::begin;

use client::Guard;
use space::{Own, Space};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

/// A whole lab, from the operator's keyboard to the shop's customers.
pub struct Lab {
    pub balancers: Vec<Balancer>,
    pub hosts: Vec<Arc<Host>>,
    /// The namespace of the operator's programs: `$HOME` and the account's home are both in the lab.
    operator: Space,
    /// The Debian release of those programs; `None` for this machine's own.
    debian: Option<Debian>,
    /// The operator's clone, which has the fabfile and `fleets/`.
    pub project: Repository,
    pub folder: PathBuf,
    guard: Arc<Guard>,
}

impl Lab {
    /// Starts all of a plan, and waits until it works.
    pub fn start(plan: Plan) -> Lab {
        let guard = Arc::new(Guard::begin());
        let folder = guard.folder.clone();
        lay_out(&folder);
        let releases = plan.hosts.iter().map(|host| host.debian).chain([plan.operator]);
        releases.flatten().for_each(|debian| debian.lay_out(&folder));
        if let Some(host) = plan.hosts.iter().find(|host| host.kind == Kind::Busybox) {
            install_busybox(&folder, host.debian);
        }
        let hosts = make_hosts(&plan, &folder, &guard);
        let hash = plan.hash.unwrap_or("sha1");
        let project = Repository::make(&folder.join("project"), &folder.join("remote.git"), &folder.join("home"), hash);
        let operator = operator(&guard, &folder, plan.operator);
        thread::scope(|scope| {
            for host in &hosts {
                scope.spawn(|| {
                    host.boot();
                    if let Some(tag) = plan.serving.filter(|_| !service::units(&host.plan).is_empty() && host.is_on()) {
                        deployed::place(host, &project, tag);
                    }
                });
            }
        });
        let agents = haproxy::agents(&plan.balancers, &hosts);
        let start = |plan: &BalancerPlan| {
            let host = hosts.iter().find(|host| host.plan.name == plan.name).expect("a balancer's machine");
            Balancer::start(plan.clone(), host.clone(), &hosts, guard.clone(), agents.clone())
        };
        let balancers: Vec<Balancer> = plan.balancers.iter().map(start).collect();
        let lab = Lab { balancers, hosts, operator, debian: plan.operator, project, folder, guard };
        lab.write_project();
        if plan.serving.is_some() {
            lab.balancers.iter().for_each(Balancer::wait_until_up);
        }
        lab
    }

    pub fn host(&self, name: &str) -> &Arc<Host> {
        self.hosts.iter().find(|host| host.plan.name == name).unwrap_or_else(|| panic!("the lab has no host `{name}`"))
    }

    pub fn balancer(&self, name: &str) -> &Balancer {
        let named = |balancer: &&Balancer| balancer.plan.name == name;
        self.balancers.iter().find(named).unwrap_or_else(|| panic!("the lab has no balancer `{name}`"))
    }

    /// Prepares a run of rfab in the project's folder.
    pub fn rfab(&self, arguments: &[&str]) -> Run<'_> {
        let rfab = suite::here().rfab;
        if self.debian.is_none() {
            return self.program(rfab, arguments);
        }
        let [loader, option, libraries] = debian::words(&self.folder.join("libraries"));
        self.program(&loader, &[&[&*option, &*libraries, rfab], arguments].concat())
    }

    /// Prepares a run of another program as the operator, in the project's folder.
    pub fn program(&self, program: &str, arguments: &[&str]) -> Run<'_> {
        Run::new(self, program, arguments)
    }

    /// Runs a command on a host over ssh, with the lab's own configuration and known hosts.
    pub fn ssh(&self, host: &str, line: &str) -> Output {
        let config = self.folder.join("operator/ssh_config");
        let mut command = Command::new("ssh");
        command.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=3", "-F"]).arg(config).args(["--", host, line]);
        Output::of(alone::cleared(&mut command).env("PATH", space::SYSTEM_PATH).env("HOME", self.home()))
    }

    /// Puts a line that takes this long before a host that ssh reaches directly, until the relay is dropped.
    pub fn slow_down(&self, host: &str, round_trip: Duration) -> Relay {
        let host = self.host(host);
        let (ip, port, slow) = (host.address, host.port, host.port + 1000);
        let [near, far] = [slow, port].map(|port| SocketAddr::new(ip.into(), port));
        let relay = Relay::start(near, far, Line { round_trip, lossy: false });
        let written = |text: String, before: &str, after: &str| {
            assert_eq!(text.matches(before).count(), 1, "`{before}` in {text}");
            text.replace(before, after)
        };
        let [before, after] = [port, slow].map(|port| format!("Port {port}\n"));
        self.edit("fleets/ssh_config", |text| written(text, &before, &after));
        let [before, after] = [port, slow].map(|port| format!("[{ip}]:{port} "));
        self.edit("known_hosts", |text| written(text, &before, &after));
        relay
    }

    /// Sends this many requests a second to the balancers in turn, or to the hosts if there is no balancer.
    pub fn load(&self, per_second: u32) -> Load {
        let mut to: Vec<SocketAddr> = self.balancers.iter().flat_map(Balancer::frontends).collect();
        if to.is_empty() {
            let web = self.hosts.iter().filter(|host| host.plan.roles.contains(&"web"));
            to = web.map(|host| SocketAddr::from((host.address, 8080))).collect();
        }
        Load::start(to, per_second, 0, false, self.hosts.clone())
    }

    /// Sends them as this many people, each with the cookies that the shop gave them and a name in `X-Client`.
    pub fn load_of(&self, people: usize, per_second: u32) -> Load {
        let to: Vec<SocketAddr> = self.balancers.iter().flat_map(Balancer::frontends).collect();
        Load::start(to, per_second, people, false, self.hosts.clone())
    }

    /// Sends them as nobody in particular, with a new connection for each request.
    pub fn load_apart(&self, per_second: u32) -> Load {
        let to: Vec<SocketAddr> = self.balancers.iter().flat_map(Balancer::frontends).collect();
        Load::start(to, per_second, 0, true, self.hosts.clone())
    }

    /// Puts a tag on a host as the release of that number, without rfab or making it current, and returns the release's
    /// name.
    pub fn unpack(&self, host: &str, number: u32, tag: &str) -> String {
        deployed::unpack(self.host(host), &self.project, number, tag)
    }

    /// Makes a release of a host current, without rfab or a restart of its units.
    pub fn activate(&self, host: &str, release: &str) {
        deployed::activate(self.host(host), release);
    }

    /// Starts a unit of a host's current release, as the user that the fleet file would use.
    pub fn start_unit(&self, host: &str, unit: &str) {
        deployed::start(self.host(host), unit);
    }

    /// Clones the project's remote for a colleague.
    pub fn colleague(&self, name: &str) -> Repository {
        self.project.clone_to(&self.folder.join("colleagues").join(name))
    }

    /// Changes a file of the project; a missing file counts as empty.
    pub fn edit(&self, path: &str, change: impl FnOnce(String) -> String) {
        let before = fs::read_to_string(self.project.folder.join(path)).unwrap_or_default();
        self.project.write(path, &change(before));
    }

    /// Returns the operator's home.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Returns the pid of the guard: the parent of all other processes.
    pub fn guard_pid(&self) -> i32 {
        self.guard.pid
    }

    /// Returns every process of the lab except the guard, with pids of this machine.
    pub fn processes(&self) -> Vec<proc::Process> {
        self.guard.processes()
    }

    /// Writes the known hosts again, after a host got another key that should be trusted.
    pub fn write_known_hosts(&self) {
        self.project.write("known_hosts", &fleets::known_hosts(&self.hosts));
    }

    /// Writes fleet files, ssh configuration, known hosts and the repository's own fabfile, and pushes them.
    fn write_project(&self) {
        let mut names: Vec<&str> = self.hosts.iter().filter_map(|host| host.plan.fleet).collect();
        names.dedup();
        for fleet in names {
            self.project.write(&format!("fleets/{fleet}.toml"), &fleets::toml(fleet, &self.hosts, &self.balancers));
        }
        let key = self.folder.join("operator/key");
        self.project.write("fleets/ssh_config", &fleets::ssh_config(&self.hosts, &key));
        self.write_known_hosts();
        if let Ok(fabfile) = fs::read_to_string(suite::here().project.join("fabfile.rhai")) {
            self.project.write("fabfile.rhai", &fabfile);
        }
        let project = self.project.folder.display();
        let config = format!(
            "UserKnownHostsFile {project}/known_hosts\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\n\
             ControlPath none\nInclude {project}/fleets/ssh_config\n"
        );
        fs::write(self.folder.join("operator/ssh_config"), config).expect("the operator's ssh configuration");
        self.project.commit(&[]);
        self.project.git(&["push", "-q", "origin", "main"]).expect_ok();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The guard ends here and not with its last `Arc`, because a load that outlives the lab has one too.
        self.guard.end();
    }
}

/// Tools that the lab copies, so that they work even if a machine lacks them.
const TOOLS: [&str; 2] = ["unshare", "setpriv"];

/// Makes the folders, the operator's key, and copies of tools that a machine may lack.
fn lay_out(folder: &Path) {
    for name in ["operator", "hosts", "bin", "tools", "run", "tmp", "runs", "home/.ssh", "colleagues"] {
        fs::create_dir_all(folder.join(name)).expect("the lab's folder");
    }
    for private in ["operator", "run", "tmp", "home", "home/.ssh"] {
        fs::set_permissions(folder.join(private), fs::Permissions::from_mode(0o700)).expect("the lab's folder");
    }
    if std::env::var_os("RFAB_LAB_KEEP").is_some() {
        fs::write(folder.join("keep"), "").expect("the lab's folder");
        eprintln!("the lab stays in {}", folder.display());
    }
    fs::write(folder.join("bin/app"), "").expect("the app's place");
    for tool in TOOLS {
        runnable::copy(&found(tool), &folder.join("tools").join(tool));
    }
    new_key(&folder.join("operator/key"));
}

/// Makes the folder that covers `/bin` and its like on a machine with only busybox. It has sshd too, which the lab
/// needs.
fn install_busybox(folder: &Path, debian: Option<Debian>) {
    let to = folder.join("busybox");
    fs::create_dir_all(&to).expect("busybox's folder");
    let mut list = Command::new("busybox");
    let (mut busybox, mut sshd) = (found("busybox"), PathBuf::from("/usr/sbin/sshd"));
    if let Some(root) = debian.map(Debian::folder) {
        (busybox, sshd) = (root.join("usr/bin/busybox"), root.join("usr/sbin/sshd"));
        list = Command::new("chroot");
        list.arg(&root).arg("busybox");
    }
    runnable::copy(&busybox, &to.join("busybox"));
    runnable::copy(&sshd, &to.join("sshd"));
    for name in Output::of(list.arg("--list")).expect_ok().lines().filter(|name| *name != "busybox") {
        std::os::unix::fs::symlink("busybox", to.join(name)).expect("a link");
    }
}

fn make_hosts(plan: &Plan, folder: &Path, guard: &Arc<Guard>) -> Vec<Arc<Host>> {
    let address = |at: usize| Ipv4Addr::new(127, guard.net[0], guard.net[1], 10 + at as u8);
    let make = |(at, host): (usize, &HostPlan)| {
        let inner = plan.hosts.iter().enumerate().filter(|(_, other)| other.behind == Some(host.name));
        let inner: Vec<(String, Ipv4Addr)> =
            inner.map(|(at, other)| (format!("{}.inner", other.name), address(at))).collect();
        let names: Vec<(&str, Ipv4Addr)> = inner.iter().map(|(name, address)| (name.as_str(), *address)).collect();
        Arc::new(Host::make(host.clone(), 10 + at as u8, folder, guard.clone(), &names))
    };
    plan.hosts.iter().enumerate().map(make).collect()
}

/// Starts a namespace in which the home of the operator's account is in the lab.
fn operator(guard: &Guard, folder: &Path, debian: Option<Debian>) -> Space {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let (name, root) = if uid == 0 { ("root", "") } else { ("operator", "root:x:0:0:root:/root:/bin/sh\n") };
    let own = folder.join("operator");
    let passwd = format!("{root}{name}:x:{uid}:{gid}::{}:/bin/sh\n", folder.join("home").display());
    fs::write(own.join("passwd"), passwd).expect("the operator's account");
    // Hides the real machine's files; in a user namespace they would also seem to belong to another user.
    fs::write(own.join("empty"), "").expect("a file of the real machine's that nobody sees");
    let hidden = "/etc/gitconfig /etc/ssh/ssh_config /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2";
    let files = format!(
        "mount --bind {0}/passwd /etc/passwd\n\
         for file in {hidden}; do [ ! -e $file ] || mount --bind {0}/empty $file; done",
        own.display()
    );
    match debian {
        None => Space::start(guard, Own::Mounts, &folder.join("tools"), &own, &files),
        Some(debian) => {
            let mounts = [debian.cover("/etc"), files, debian.cover("/usr")].join("\n");
            Space::start(guard, Own::Mounts, &debian.tools(folder), &own, &mounts)
        }
    }
}

/// Returns the path of a program.
fn found(program: &str) -> PathBuf {
    let mut folders = space::SYSTEM_PATH.split(':').map(|folder| Path::new(folder).join(program));
    folders.find(|path| path.exists()).unwrap_or_else(|| panic!("`{program}` is missing: run tests/install-needs"))
}

/// Makes an ssh key without a passphrase.
fn new_key(file: &Path) {
    Output::of(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]).arg(file))
        .expect_ok();
}

#[cfg(test)]
crate::alone!();
