//! A real HAProxy on a machine of the lab, configured so that it hides no failure.
use super::{
    agent::Agent,
    client::Guard,
    guard::Start,
    host::Host,
    plan::{BalancerPlan, Socket},
    proc,
    space::{Level, SYSTEM_PATH},
};
use rustix::process::Signal;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

/// The path of its admin socket, on its machine.
pub const SOCKET: &str = "/run/haproxy/admin.sock";
/// The path of the socket that the lab itself uses.
const OWN: &str = "/run/haproxy/lab.sock";
const MASTER: &str = "/run/haproxy/master.sock";
const TCP: u16 = 9999;

/// The agents of hosts, by host; all balancers ask the same ones.
pub type Agents = Arc<BTreeMap<&'static str, Agent>>;

/// Starts an agent on each host of the fleet, if a balancer asks agents.
pub fn agents(plans: &[BalancerPlan], hosts: &[Arc<Host>]) -> Agents {
    let wanted = plans.iter().any(|plan| plan.shape.agent);
    let asked = hosts.iter().filter(|host| wanted && host.plan.fleet == Some("prod"));
    Arc::new(asked.map(|host| (host.plan.name, Agent::start(host.address))).collect())
}

pub struct Balancer {
    pub plan: BalancerPlan,
    pub host: Arc<Host>,
    /// The agents of its servers' hosts, by host.
    pub agents: Agents,
    /// The lines that set its servers' addresses after it starts, if they come from a template.
    addresses: Vec<String>,
    guard: Arc<Guard>,
}

impl Balancer {
    /// Starts it on its machine, in front of the hosts with its pools' roles.
    pub fn start(
        plan: BalancerPlan,
        host: Arc<Host>,
        servers: &[Arc<Host>],
        guard: Arc<Guard>,
        agents: Agents,
    ) -> Balancer {
        let mut balancer = Balancer { plan, host, agents, addresses: Vec::new(), guard };
        balancer.addresses = balancer.addresses_of(servers);
        fs::write(balancer.config_file(), balancer.config(servers)).expect("haproxy's configuration");
        balancer.start_again();
        balancer
    }

    /// Returns its socket, as the fleet file has it.
    pub fn socket(&self) -> String {
        match self.plan.shape.socket {
            Socket::Admin | Socket::Operator | Socket::Root => SOCKET.to_owned(),
            Socket::Tcp => format!("{}:{TCP}", self.host.address),
            Socket::Master => MASTER.to_owned(),
        }
    }

    /// Returns the address for requests to a pool.
    pub fn frontend(&self, pool: &str) -> SocketAddr {
        let n = self.plan.pools.iter().position(|(name, _)| *name == pool).expect("a pool of this balancer");
        SocketAddr::from((self.host.address, 8000 + n as u16))
    }

    pub fn frontends(&self) -> Vec<SocketAddr> {
        self.plan.pools.iter().map(|(pool, _)| self.frontend(pool)).collect()
    }

    /// Sends a line to its socket directly, without ssh.
    pub fn ask(&self, line: &str) -> Result<String, std::io::Error> {
        let mut stream = UnixStream::connect(self.host.path(OWN))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Sets a server to `ready`, `drain` or `maint`, and panics if HAProxy refuses.
    pub fn set(&self, pool: &str, server: &str, state: &str) {
        let answer = self.ask(&format!("set server {pool}/{server} state {state}")).expect("the admin socket");
        assert_eq!(answer.trim(), "", "set server {pool}/{server} state {state}");
    }

    /// Returns a column of `show stat` for each server of a pool, such as `status` or `scur`.
    pub fn column(&self, pool: &str, column: &str) -> BTreeMap<String, String> {
        let text = self.ask("show stat").expect("the admin socket");
        let mut lines = text.trim_start_matches("# ").lines();
        let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let at = names.iter().position(|name| *name == column).expect("a column of that name");
        let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row.len() > at && row[0] == pool && !matches!(row[1], "FRONTEND" | "BACKEND"))
            .map(|row| (row[1].to_owned(), row[at].to_owned()))
            .collect()
    }

    /// Returns the servers of a pool that nobody took out, even if they get no requests.
    pub fn ready(&self, pool: &str) -> BTreeSet<String> {
        let text = self.ask(&format!("show servers state {pool}")).expect("the admin socket");
        let rows = text.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|row| row.len() > 6);
        // Set by an administrator: 0x01 is maintenance, 0x08 is drain.
        let ready = rows.filter(|row| row[6].parse::<u32>().is_ok_and(|bits| bits & 0x09 == 0));
        ready.map(|row| row[3].to_owned()).collect()
    }

    /// Waits until a server's column has a value, and panics after ten seconds without it.
    pub fn wait_for(&self, pool: &str, server: &str, column: &str, value: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = self.column(pool, column).remove(server).expect("a server of that name");
            if seen == value {
                return;
            }
            assert!(Instant::now() < deadline, "{pool}/{server}: {column} is {seen}, not {value}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until every server that has checks and isn't in maintenance is `UP`, in every pool.
    pub fn wait_until_up(&self) {
        for (pool, _) in &self.plan.pools {
            for (server, status) in self.column(pool, "status") {
                if status != "no check" && !status.starts_with("MAINT") {
                    self.wait_for(pool, &server, "status", "UP");
                }
            }
        }
    }

    /// Reloads it as `systemctl reload` does: it forgets the servers' states, and no request fails.
    pub fn reload(&self) {
        let before = self.worker();
        let done = self.host.exec(&["sh", "-c", "kill -USR2 $(cat /run/haproxy/pid)"]);
        assert!(done.ok(), "{done:?}");
        self.wait_for_worker(before.as_deref());
    }

    /// Stops it and starts it again; open requests fail.
    pub fn restart(&self) {
        self.kill();
        self.start_again();
    }

    /// Kills it; the file of its socket stays.
    pub fn kill(&self) {
        proc::kill_all(|| self.host.processes().into_iter().filter(|p| p.name == "haproxy").collect());
    }

    /// Starts it after a `kill`, or after its machine has booted again.
    pub fn start_again(&self) {
        let log = self.host.folder.join("haproxy.log");
        let mut argv = self.host.as_root();
        argv.extend(["haproxy", "-W", "-S"].map(String::from));
        argv.push(format!("{MASTER}{}", self.owner().replace(' ', ",").trim_end_matches(',')));
        argv.extend(["-p", "/run/haproxy/pid", "-f"].map(String::from));
        argv.push(self.config_file().display().to_string());
        let env = vec![("PATH".into(), SYSTEM_PATH.into())];
        self.guard.start(Start { argv, env, folder: "/".into(), stdin: None, stdout: log.clone(), stderr: log });
        self.wait_for_worker(None);
        for line in &self.addresses {
            self.ask(line).expect("the admin socket");
        }
    }

    /// Sends its processes a signal: `Signal::STOP` keeps it from answering with its connections open, `Signal::CONT`
    /// ends that.
    pub fn signal(&self, signal: Signal) {
        for process in self.host.processes().iter().filter(|p| p.name == "haproxy") {
            proc::signal(process.pid, signal);
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.host.folder.join("haproxy.log")).unwrap_or_default()
    }

    fn worker(&self) -> Option<String> {
        let info = self.ask("show info").ok()?;
        info.lines().find_map(|line| line.strip_prefix("Pid: ")).map(String::from)
    }

    fn wait_for_worker(&self, other_than: Option<&str>) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match self.worker() {
                Some(pid) if Some(pid.as_str()) != other_than => return,
                _ => assert!(Instant::now() < deadline, "haproxy doesn't start: {}", self.log()),
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Returns the version of HAProxy on its machine, as `(2, 6)`.
    fn version(&self) -> (u32, u32) {
        let said = self.host.exec(&["haproxy", "-v"]).expect_ok();
        let number = said.split("ersion ").nth(1).unwrap_or_default();
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
        match (parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor))) => (major, minor),
            _ => panic!("haproxy says no version: {said}"),
        }
    }

    fn config_file(&self) -> std::path::PathBuf {
        self.host.folder.join("haproxy.cfg")
    }

    /// Returns the words of a socket's line that let the login user open it.
    fn owner(&self) -> &'static str {
        if Level::here().is_root() { " user deploy group deploy" } else { "" }
    }

    fn config(&self, hosts: &[Arc<Host>]) -> String {
        let shape = &self.plan.shape;
        let owner = self.owner();
        let address = self.host.address;
        let socket = match shape.socket {
            Socket::Admin => format!("stats socket {SOCKET}{owner} mode 600 level admin"),
            Socket::Operator => format!("stats socket {SOCKET}{owner} mode 600 level operator"),
            Socket::Root => format!("stats socket {SOCKET} mode 600 level admin"),
            Socket::Tcp => format!("stats socket {address}:{TCP} level admin"),
            Socket::Master => String::new(),
        };
        let (mode, http) = if shape.tcp { ("tcp", "") } else { ("http", "    timeout http-keep-alive 20s\n") };
        // From 2.4 on, this option keeps a reload from closing connections on which a request may still arrive.
        let idle = if shape.tcp || self.version() < (2, 4) { "" } else { "    option idle-close-on-response\n" };
        let mut text = format!(
            "global
    log stderr format raw local0 warning
    {socket}
    stats socket {OWN} mode 600 level admin expose-fd listeners
    stats timeout 2m
    hard-stop-after 10s
    maxconn 4000

defaults
    mode {mode}
    log global
    retries 0
    no option redispatch
{idle}{http}    timeout connect 2s
    timeout queue 2s
    timeout client 20s
    timeout server 20s
    option httpchk GET /health
    http-check expect status 200
    default-server inter 200ms fastinter 200ms downinter 200ms rise 2 fall 3
"
        );
        for (n, (pool, role)) in self.plan.pools.iter().enumerate() {
            self.configure_pool(&mut text, 8000 + n, (pool, role), hosts);
        }
        text
    }

    /// Adds a pool, and its frontend before it.
    fn configure_pool(&self, text: &mut String, port: usize, (pool, role): (&str, &str), hosts: &[Arc<Host>]) {
        let (shape, address) = (&self.plan.shape, self.host.address);
        let _ = write!(
            text,
            "\nfrontend fe_{pool}\n    bind {address}:{port}\n    default_backend {pool}\n\nbackend {pool}\n    balance roundrobin\n"
        );
        for (_, line) in shape.backend.iter().filter(|(name, _)| name.is_empty() || *name == pool) {
            let _ = writeln!(text, "    {line}");
        }
        for host in behind(hosts, role).take(if shape.template { 1 } else { usize::MAX }) {
            for server in self.servers_of(host, pool) {
                let words = self.words(pool, host, &server);
                let servers = if shape.template {
                    format!("server-template srv 1-{}", behind(hosts, role).count())
                } else {
                    format!("server {server}")
                };
                let _ = writeln!(text, "    {servers} {}:8080{words}", host.address);
            }
        }
        for line in &shape.others {
            let _ = writeln!(text, "    server {line}");
        }
    }

    /// Returns the lines that give a template's servers their addresses.
    fn addresses_of(&self, hosts: &[Arc<Host>]) -> Vec<String> {
        let mut lines = Vec::new();
        for (pool, role) in self.plan.pools.iter().filter(|_| self.plan.shape.template) {
            for host in behind(hosts, role) {
                let line = |server| format!("set server {pool}/{server} addr {} port 8080", host.address);
                lines.extend(self.servers_of(host, pool).into_iter().map(line));
            }
        }
        lines
    }

    /// Returns the names of a host's servers in a pool.
    pub fn servers_of(&self, host: &Host, pool: &str) -> Vec<String> {
        let names: &[&str] = if self.plan.shape.names.is_empty() { &["{name}"] } else { &self.plan.shape.names };
        let name = host.plan.name;
        let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        let filled = |text: &&str| text.replace("{name}", name).replace("{n}", number).replace("{pool}", pool);
        names.iter().map(filled).collect()
    }

    /// Returns the words after a server's address.
    fn words(&self, pool: &str, host: &Host, server: &str) -> String {
        let shape = &self.plan.shape;
        let tracked = shape.tracks.iter().find(|(follower, _)| *follower == pool);
        let mut words = match tracked {
            Some((_, tracked)) => format!(" track {tracked}/{}", server.replace(pool, tracked)),
            None if shape.unchecked => String::new(),
            None => " check".to_owned(),
        };
        if shape.agent && tracked.is_none() {
            let _ = write!(words, " agent-check agent-port {} agent-inter 200ms", Agent::PORT);
        }
        for (_, more) in shape.server.iter().filter(|(name, _)| name.is_empty() || *name == host.plan.name) {
            let _ = write!(words, " {}", more.replace("{name}", server));
        }
        words
    }
}

/// Returns the hosts that are the servers of a pool.
fn behind<'a>(hosts: &'a [Arc<Host>], role: &'a str) -> impl Iterator<Item = &'a Arc<Host>> {
    hosts.iter().filter(move |host| host.plan.roles.contains(&role) && host.plan.fleet == Some("prod"))
}
