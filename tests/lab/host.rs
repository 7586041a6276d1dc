//! A machine of the lab: a real sshd with its own address, in its own namespaces.
use super::{
    client::Guard,
    guard::Start,
    output::Output,
    plan::{HostPlan, Kind},
    proc::{self, Process},
    service::{self, Unit},
    silence::Silence,
    space::{Level, Own, SYSTEM_PATH, Space},
    users,
};
use rustix::process::Signal;
use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    thread::sleep,
    time::{Duration, Instant},
};

pub struct Host {
    pub plan: HostPlan,
    pub address: Ipv4Addr,
    pub port: u16,
    /// The folder with its files: `srv`, `home`, `bin`, `services`, `etc`, `sshd.log`.
    pub folder: PathBuf,
    lab: PathBuf,
    guard: Arc<Guard>,
    /// `None` while the machine is off.
    machine: Mutex<Option<Machine>>,
    /// Answers in place of a machine.
    _silence: Option<Silence>,
}

#[derive(Clone)]
struct Machine {
    space: Space,
    /// The guard's child that runs sshd.
    sshd: Option<i32>,
}

impl Host {
    /// Writes the files of the machine, which stays off.
    pub fn make(plan: HostPlan, number: u8, lab: &Path, guard: Arc<Guard>, names: &[(&str, Ipv4Addr)]) -> Host {
        let address = Ipv4Addr::new(127, guard.net[0], guard.net[1], number);
        let port = 22000 + u16::from(number);
        let folder = lab.join("hosts").join(plan.name);
        let silence = Silence::of(plan.kind, SocketAddr::from((address, port)));
        let host =
            Host { plan, address, port, folder, lab: lab.into(), guard, machine: None.into(), _silence: silence };
        if host.plan.is_machine() {
            host.write_files(names);
            service::install(lab, &host);
        }
        host
    }

    fn write_files(&self, names: &[(&str, Ipv4Addr)]) {
        for folder in ["srv", "home/deploy", "bin", "etc", "vartmp", "services"] {
            fs::create_dir_all(self.folder.join(folder)).expect("a host's folder");
        }
        fs::set_permissions(self.folder.join("vartmp"), fs::Permissions::from_mode(0o1777)).expect("/var/tmp");
        self.own("home/deploy");
        let mut hosts = format!("127.0.0.1 localhost\n{} {}\n", self.address, self.plan.name);
        for (name, address) in names {
            let _ = writeln!(hosts, "{address} {name}");
        }
        self.put("etc/passwd", &users::passwd(&self.home(), self.plan.shell), 0o644);
        self.put("etc/group", &users::group(), 0o644);
        self.put("etc/shadow", &users::shadow(), 0o600);
        self.put("etc/sudoers", &users::sudoers(self.plan.sudo, &self.folder.join("bin").display().to_string()), 0o440);
        self.put("etc/hosts", &hosts, 0o644);
        self.put("authorized_keys", &read(&self.lab.join("operator/key.pub")), 0o644);
        self.new_host_key();
        let mut conf = String::new();
        for line in &self.plan.sshd {
            let _ = writeln!(conf, "{line}");
        }
        if self.plan.ipv6 {
            let _ = writeln!(conf, "ListenAddress [{}]:{}", self.ipv6(), self.port);
        }
        let _ = write!(
            conf,
            "Port {port}\nListenAddress {address}\nHostKey {folder}/host_key\nPidFile none\n\
             AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin no\nMaxStartups 100\nMaxSessions 100\nUseDNS no\n\
             PrintMotd no\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\n\
             SetEnv RFAB_LAB={lab} PATH={path}\n",
            port = self.port,
            address = self.address,
            folder = self.folder.display(),
            lab = self.lab.display(),
            path = self.search_path(),
        );
        self.put("sshd_config", &conf, 0o644);
    }

    /// Turns it on, and waits until its sshd answers.
    pub fn boot(&self) {
        if !self.plan.is_machine() || self.machine().is_some() {
            return;
        }
        if self.plan.ipv6 {
            add_ipv6(self.ipv6());
        }
        let space = Space::start(&self.guard, Own::Machine, &self.lab.join("tools"), &self.folder, &self.mounts());
        *self.machine() = Some(Machine { space, sshd: None });
        self.start_sshd();
    }

    /// Cuts its power: its processes and all that isn't on a disk are gone. `boot` turns it on again.
    pub fn kill(&self) {
        let machine = self.machine().take().expect("a machine that is on");
        self.guard.signal(machine.space.outer, Signal::KILL);
        proc::kill_all(|| proc::read(machine.space.outer).into_iter().chain(machine.space.processes()).collect());
    }

    pub fn start_sshd(&self) {
        let mut machine = self.machine();
        let machine = machine.as_mut().expect("a machine that is on");
        let log = self.folder.join("sshd.log");
        let mut argv = machine.space.as_self();
        let conf = self.folder.join("sshd_config");
        let umask = format!("umask {}; exec \"$@\"", self.plan.umask);
        argv.extend(["/bin/sh", "-c", &umask, "sh", "/usr/sbin/sshd", "-D", "-e", "-f"].map(String::from));
        argv.push(conf.display().to_string());
        let env = vec![("PATH".into(), SYSTEM_PATH.into())];
        let start = Start { argv, env, folder: "/".into(), stdin: None, stdout: log.clone(), stderr: log.clone() };
        let sshd = self.guard.start(start);
        machine.sshd = Some(sshd);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((self.address, self.port)).is_err() {
            if !self.guard.runs(sshd) || Instant::now() > deadline {
                panic!("sshd of {} doesn't start: {}", self.plan.name, read(&log));
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Kills sshd and all its sessions; other processes keep running.
    pub fn stop_sshd(&self) {
        let space = self.space();
        self.machine().as_mut().expect("a machine that is on").sshd.take();
        proc::kill_all(|| space.processes().into_iter().filter(is_sshd).collect());
    }

    /// Stops sshd and its sessions like a machine that hangs: no connection is closed.
    pub fn freeze(&self) {
        self.signal_sshd(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal_sshd(Signal::CONT);
    }

    fn signal_sshd(&self, signal: Signal) {
        for process in self.space().processes().iter().filter(|p| is_sshd(p)) {
            proc::signal(process.pid, signal);
        }
    }

    /// Gives it another host key, as if the machine was installed again or replaced by another.
    ///
    /// An sshd that already runs keeps the old key.
    pub fn new_host_key(&self) {
        let key = self.folder.join("host_key");
        let _ = fs::remove_file(&key);
        super::new_key(&key);
    }

    /// Returns its public host key, as `ssh-ed25519 AAAA…`.
    pub fn host_key(&self) -> String {
        let text = read(&self.folder.join("host_key.pub"));
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Returns its IPv6 address, which it has if the plan says so.
    pub fn ipv6(&self) -> Ipv6Addr {
        let [_, two, three, number] = self.address.octets();
        Ipv6Addr::new(0xfd64, 0, 0, 0, 0, two.into(), three.into(), number.into())
    }

    /// Returns the name that ssh looks up in a known-hosts file.
    pub fn known_as(&self) -> String {
        let name = if self.plan.behind.is_some() { self.inner_name() } else { self.address.to_string() };
        format!("[{name}]:{}", self.port)
    }

    /// Returns the name that only the jump host in front of it can resolve.
    pub fn inner_name(&self) -> String {
        format!("{}.inner", self.plan.name)
    }

    /// Runs a program on it directly, without ssh: as root, or as the login user if the lab isn't root's.
    ///
    /// It may mount: `mount --bind /dev/null /usr/bin/flock` takes a program away from this machine only.
    pub fn exec(&self, argv: &[&str]) -> Output {
        let mut words = self.space().as_root();
        words.extend(argv.iter().map(|word| word.to_string()));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", self.search_path()).env("RFAB_LAB", &self.lab);
        Output::of(command.current_dir("/"))
    }

    /// Runs a shell line on it, as `exec` does.
    pub fn sh(&self, line: &str) -> Output {
        self.exec(&["/bin/sh", "-c", line])
    }

    /// Returns where a path of the machine is seen from here, while it is on.
    pub fn path(&self, path: &str) -> PathBuf {
        self.space().path(path)
    }

    /// Returns the release that `/srv/shop/current` leads to, as `0001-9ab0c1d2e3f4`; `None` if there is no link.
    pub fn current(&self) -> Option<String> {
        let link = fs::read_link(self.path("/srv/shop/current")).ok()?;
        link.file_name().map(|name| name.to_string_lossy().into_owned())
    }

    pub fn unit<'a>(&'a self, name: &'a str) -> Unit<'a> {
        Unit { host: self, name }
    }

    /// Returns the commit that its app reports; `None` if it doesn't answer with status 200 within two seconds.
    pub fn serves(&self) -> Option<String> {
        let second = Duration::from_secs(1);
        let mut stream = TcpStream::connect_timeout(&(self.address, 8080).into(), second).ok()?;
        stream.set_read_timeout(Some(second)).ok()?;
        stream.write_all(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let release = text.lines().find_map(|line| line.strip_prefix("X-Release: "));
        release.filter(|_| text.starts_with("HTTP/1.1 200 ")).map(String::from)
    }

    /// Returns a tool of the lab, which works even if the machine lacks it.
    pub fn tool(&self, name: &str) -> String {
        let tools = self.plan.debian.map_or(self.lab.join("tools"), |debian| debian.tools(&self.lab));
        tools.join(name).display().to_string()
    }

    /// Returns every process on it, with pids of this machine.
    pub fn processes(&self) -> Vec<Process> {
        self.space().processes()
    }

    pub fn is_on(&self) -> bool {
        self.machine().is_some()
    }

    /// Returns the words that start a program on it as root.
    pub fn as_root(&self) -> Vec<String> {
        self.space().as_root()
    }

    pub fn sshd_log(&self) -> String {
        fs::read_to_string(self.folder.join("sshd.log")).unwrap_or_default()
    }

    /// Returns the login user's home.
    pub fn home(&self) -> String {
        self.folder.join("home/deploy").display().to_string()
    }

    fn search_path(&self) -> String {
        format!("{}:{SYSTEM_PATH}", self.folder.join("bin").display())
    }

    fn space(&self) -> Space {
        self.machine().as_ref().unwrap_or_else(|| panic!("{} is off", self.plan.name)).space.clone()
    }

    fn machine(&self) -> MutexGuard<'_, Option<Machine>> {
        self.machine.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Returns the shell lines that make the namespace look like this machine.
    fn mounts(&self) -> String {
        let folder = self.folder.display();
        let mut lines = Vec::new();
        if let Some(debian) = self.plan.debian {
            lines.push(debian.cover("/etc"));
        }
        for file in ["passwd", "group", "hosts"] {
            lines.push(format!("mount --bind {folder}/etc/{file} /etc/{file}"));
        }
        if Level::here().is_root() {
            lines.push(format!("mount --bind {folder}/etc/shadow /etc/shadow"));
            lines.push(format!("[ ! -e /etc/sudoers ] || mount --bind {folder}/etc/sudoers /etc/sudoers"));
        }
        lines.push(match self.plan.disk {
            Some(kib) => format!("mount -t tmpfs -o size={kib}k,mode=755 tmpfs /srv"),
            None => format!("mount --bind {folder}/srv /srv"),
        });
        let app = std::env::current_exe().expect("this binary");
        lines.push(format!("mount --bind {folder}/vartmp /var/tmp"));
        lines.push(format!("mount --bind '{}' {}/bin/app", app.display(), self.lab.display()));
        lines.push("mount -t tmpfs -o mode=755 tmpfs /run".into());
        lines.push("mkdir /run/sshd /run/haproxy".into());
        lines.push(format!("hostname {}", self.plan.name));
        if Level::here().is_root() {
            lines.push("chown deploy: /run/haproxy".into());
        }
        if let Some(debian) = self.plan.debian {
            lines.push(debian.cover("/usr"));
        }
        if self.plan.kind == Kind::Busybox {
            let busybox = self.lab.join("busybox");
            let folders = "for d in /usr/local/bin /usr/local/sbin /bin /sbin /usr/sbin /usr/bin; do
    [ ! -d $d ] || [ -L $d ] || mounts=\"${mounts-} $d\"
done
for d in $mounts; do busybox mount --bind @ $d; done";
            lines.push(folders.replace('@', &busybox.display().to_string()));
        }
        lines.join("\n")
    }

    fn put(&self, file: &str, text: &str, mode: u32) {
        let file = self.folder.join(file);
        super::runnable::write_as(&file, text, mode);
    }

    fn own(&self, folder: &str) {
        if Level::here().is_root() {
            chown(self.folder.join(folder), Some(users::DEPLOY), Some(users::DEPLOY)).expect("the login user's own");
        }
    }
}

/// Adds an address to the network namespace of this test.
fn add_ipv6(address: Ipv6Addr) {
    let network = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/net")).expect("a network namespace");
    let (own, parent) = (std::process::id(), std::os::unix::process::parent_id());
    assert_ne!(network(own), network(parent), "only a network of one's own gets addresses");
    let address = format!("{address}/128");
    let added = Output::of(Command::new("ip").args(["-6", "address", "replace", &address, "dev", "lo"]));
    assert!(added.ok(), "{added:?}");
}

fn is_sshd(process: &Process) -> bool {
    process.name.starts_with("sshd")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}
