//! Starts a lab as a row of the table describes it.
use crate::{
    Debian, HostPlan, Kind, Lab, Line, Plan, Relay, Shape, Sudo,
    choices::{cover::Row, packaged, rows::Rows},
};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// The lab that the values of a row ask for; the default is the lab as other tests have it.
pub struct LabChoices {
    pub probe: &'static str,
    /// What follows the probe in the fleet file: a pattern for text around a version.
    pub pattern: &'static str,
    pub url: &'static str,
    /// What the app reports; [`said`] fills in the values.
    pub says: &'static str,
    pub reference: Reference,
    pub repository: Repository,
    /// The hash of git objects.
    pub hash: &'static str,
    pub first: First,
    pub groups: usize,
    /// The number of hosts in a group, and how many fewer the last group has.
    pub size: usize,
    pub lacking: usize,
    pub address: Address,
    pub route: Route,
    pub known: Known,
    /// Lines of each sshd's configuration.
    pub sshd: Vec<&'static str>,
    /// The line to the hosts, if it is a slow one.
    pub line: Option<Line>,
    pub balancers: usize,
    /// Whether haproxy.cfg gives the first host's servers weight 0, and whether it has `disabled` for them.
    pub weightless: bool,
    pub disabled: bool,
    /// Whether a balancer is reloaded while a service is restarted.
    pub reloaded: bool,
    /// Whether a broken release dies after a while; otherwise it is never healthy.
    pub dies_late: bool,
    /// How a release is made from the tree of a commit.
    pub made: Made,
    pub sudo: Sudo,
    /// The user that owns the app, if there is sudo.
    pub owner: &'static str,
    pub shell: &'static str,
    /// Files in the login user's home, with their texts.
    pub home: Vec<(&'static str, &'static str)>,
    /// Whether homes are read-only; the fleet's `state` is elsewhere then.
    pub read_only: bool,
    pub umask: &'static str,
    pub kind: Kind,
    /// The Debian release of all machines; `None` for this machine's own system.
    pub debian: Option<Debian>,
    /// The same for the operator's machine.
    pub operator: Option<Debian>,
    pub shape: Shape,
    pub pools: Vec<&'static str>,
    /// How many people send the requests, each with a cookie and a name; 0 for requests of nobody in particular.
    pub people: usize,
}

/// How a release is named on the command line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    Tag,
    Stable,
    Digits,
    Branch,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Repository {
    Around,
    Bare,
    Clone,
    Url,
    Worktree,
    Shallow,
    /// A clone that leaves out what this filter matches.
    Partial(&'static str),
    Reftable,
}

/// What the hosts have before rfab's first run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    Rfab,
    Nothing,
    AnotherTool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Address {
    Ipv4,
    Ipv6,
    Name,
    /// A name that only the ssh configuration knows.
    Alias,
}

/// How ssh reaches a host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Direct,
    /// `ProxyJump` of the ssh configuration, through this many machines.
    Jumps(usize),
    /// `via` of the fleet file.
    Via(&'static str),
    /// `ProxyJump` through the balancer's machine.
    Balancer,
}

/// How known hosts are recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Plain,
    Hashed,
    Authority,
    Named,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Made {
    Tree,
    Build,
    Archive,
    Package,
}

const WEB: [&str; 9] = ["web1", "web2", "web3", "web4", "web5", "web6", "web7", "web8", "web9"];
const GROUPS: [&str; 4] = ["group1", "group2", "group3", "group4"];

impl Default for LabChoices {
    fn default() -> LabChoices {
        LabChoices {
            probe: "header:X-Release",
            pattern: "",
            url: "/health",
            says: "{commit}",
            reference: Reference::Tag,
            repository: Repository::Around,
            hash: "sha1",
            first: First::Rfab,
            groups: 2,
            size: 1,
            lacking: 0,
            address: Address::Ipv4,
            route: Route::Direct,
            known: Known::Plain,
            sshd: Vec::new(),
            line: None,
            balancers: 1,
            weightless: false,
            disabled: false,
            reloaded: false,
            dies_late: false,
            made: Made::Tree,
            sudo: Sudo::Free,
            owner: "shop",
            shell: "/bin/sh",
            home: Vec::new(),
            read_only: false,
            umask: "022",
            kind: Kind::Plain,
            debian: None,
            operator: None,
            shape: Shape { fleet: vec!["drain_within = \"8s\""], ..Shape::default() },
            pools: vec!["bk_web"],
            people: 0,
        }
    }
}

impl LabChoices {
    /// Returns the lab that the values of a row ask for.
    pub fn of(rows: &Rows, row: &Row) -> LabChoices {
        let mut making = LabChoices::default();
        for value in rows.values(row) {
            (value.make)(&mut making);
        }
        making
    }

    /// Returns the names of the web hosts, in order.
    pub fn web(&self) -> Vec<&'static str> {
        WEB[..self.groups * self.size - self.lacking].to_vec()
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan { operator: self.operator, ..Plan::new() };
        let jump = match self.route {
            Route::Direct => None,
            Route::Balancer => Some("lb1"),
            Route::Jumps(1) | Route::Via("jump1") => Some("jump1"),
            Route::Jumps(_) | Route::Via(_) => Some("jump2"),
        };
        for (at, name) in self.web().into_iter().enumerate() {
            let host = HostPlan::new(name)
                .fleet("prod")
                .group(GROUPS[at / self.size])
                .role("web")
                .kind(self.kind)
                .sudo(self.sudo);
            let host = if self.address == Address::Ipv6 { host.ipv6() } else { host };
            plan = plan.host(HostPlan { behind: jump, ..host });
        }
        if jump.is_some_and(|jump| jump.starts_with("jump")) {
            plan = plan.host(HostPlan::new("jump1"));
        }
        if jump == Some("jump2") {
            plan = plan.host(HostPlan::new("jump2").behind("jump1"));
        }
        let pools: Vec<(&str, &str)> = self.pools.iter().map(|pool| (*pool, "web")).collect();
        for name in ["lb1", "lb2"].into_iter().take(self.balancers) {
            plan = plan.balancer(name, &pools);
        }
        plan = plan.shaped(self.shape.clone()).hash(self.hash);
        for host in &mut plan.hosts {
            (host.shell, host.umask, host.sshd) = (self.shell, self.umask, self.sshd.clone());
            host.debian = self.debian;
        }
        if self.first == First::Nothing || self.made == Made::Package { plan } else { plan.serving("v3.0.0") }
    }

    /// Returns the app's folder, as in the fleet file.
    pub fn path(&self) -> &'static str {
        if self.made == Made::Package { packaged::PATH } else { "/srv/shop" }
    }

    /// Returns what the app reports. A package reports its version, which is the name of its folder.
    pub fn says(&self) -> &'static str {
        if self.made == Made::Package && self.says == "{commit}" { "{folder}" } else { self.says }
    }

    /// Starts the lab, and does what a plan can't describe. The lab is reached through the relays.
    pub fn lab(&self) -> (Lab, Vec<Relay>) {
        let lab = Lab::start(self.plan());
        if let Some(debian) = self.debian {
            let system = |file: PathBuf| fs::read_to_string(file).expect("the name of a system");
            let name = "/usr/lib/os-release";
            for host in &lab.hosts {
                assert_eq!(system(host.path(name)), system(debian.folder().join(&name[1..])), "{}", host.plan.name);
            }
        }
        for host in &lab.hosts {
            for (file, text) in &self.home {
                fs::write(host.folder.join("home/deploy").join(file), text).expect("a file of a home");
            }
            if self.read_only {
                let home = host.home();
                host.sh(&format!("mount --bind {home} {home} && mount -o remount,ro,bind {home}")).expect_ok();
            }
        }
        for name in self.web() {
            lab.host(name).unit("shop").says(self.says());
        }
        if self.made == Made::Package {
            packaged::prepare(self, &lab);
        } else {
            self.take_over(&lab);
        }
        self.write_fleet(&lab);
        self.write_names(&lab);
        if let Route::Via(_) = self.route {
            lab.edit("fleets/ssh_config", |text| without(&text, "    ProxyJump "));
        }
        let relays = self.slow_down(&lab);
        self.write_keys(&lab);
        lab.project.commit(&[]);
        lab.project.git(&["push", "-q", "origin", "main"]).expect_ok();
        (lab, relays)
    }

    /// Writes the names of the hosts into the balancers' machines and the team's files.
    fn write_names(&self, lab: &Lab) {
        let web = self.web();
        if self.address == Address::Name {
            let names: Vec<String> = web.iter().map(|name| format!("{} {name}\n", lab.host(name).address)).collect();
            for balancer in &lab.balancers {
                let file = balancer.host.folder.join("etc/hosts");
                let before = fs::read_to_string(&file).expect("the names that a machine knows");
                fs::write(&file, before + names.concat().as_str()).expect("the names that a machine knows");
            }
        }
        if self.address == Address::Ipv6 {
            for file in ["fleets/prod.toml", "fleets/ssh_config", "known_hosts"] {
                let change = |text: String, name: &&str| {
                    let host = lab.host(name);
                    // Behind a jump host, the known hosts have the host's name there instead of an address.
                    text.replace(&host.address.to_string(), &host.ipv6().to_string())
                };
                lab.edit(file, |text| web.iter().fold(text, change));
            }
        }
    }

    /// Puts a relay in front of each host that ssh reaches directly.
    fn slow_down(&self, lab: &Lab) -> Vec<Relay> {
        let Some(line) = self.line else { return Vec::new() };
        let mut relays = Vec::new();
        for host in lab.hosts.iter().filter(|host| host.plan.behind.is_none()) {
            let v6 = self.address == Address::Ipv6 && host.plan.ipv6;
            let ip = if v6 { host.ipv6().into() } else { host.address.into() };
            let (port, slow) = (host.port, host.port + 1000);
            relays.push(Relay::start(SocketAddr::new(ip, slow), SocketAddr::new(ip, port), line));
            lab.edit("fleets/ssh_config", |text| replaced(&text, &format!("Port {port}\n"), &format!("Port {slow}\n")));
            lab.edit("known_hosts", |text| replaced(&text, &format!("[{ip}]:{port} "), &format!("[{ip}]:{slow} ")));
        }
        relays
    }

    fn write_keys(&self, lab: &Lab) {
        let file = lab.project.folder.join("known_hosts");
        let keygen = |arguments: &[&str]| {
            let done = Command::new("ssh-keygen").args(["-q"]).args(arguments).output().expect("ssh-keygen");
            assert!(done.status.success(), "{arguments:?}: {done:?}");
        };
        match self.known {
            Known::Plain => {}
            Known::Hashed => {
                keygen(&["-H", "-f", &file.display().to_string()]);
                let _ = fs::remove_file(file.with_extension("old"));
            }
            Known::Named => {
                let team = lab.folder.join("team_known_hosts");
                fs::rename(&file, &team).expect("the known hosts");
                let line = format!("UserKnownHostsFile {}\n", team.display());
                lab.edit("fleets/ssh_config", |text| line + text.as_str());
            }
            Known::Authority => {
                let authority = lab.folder.join("operator/authority").display().to_string();
                keygen(&["-t", "ed25519", "-N", "", "-f", &authority]);
                for host in &lab.hosts {
                    let key = host.folder.join("host_key.pub").display().to_string();
                    // From 10.3 on, ssh accepts a certificate only for the hosts that it names.
                    let names = [
                        host.plan.name.to_owned(),
                        host.inner_name(),
                        host.address.to_string(),
                        host.ipv6().to_string(),
                    ];
                    keygen(&["-s", &authority, "-I", host.plan.name, "-n", &names.join(","), "-h", &key]);
                    let conf = host.folder.join("sshd_config");
                    let before = fs::read_to_string(&conf).expect("sshd's configuration");
                    let line = format!("HostCertificate {}/host_key-cert.pub\n", host.folder.display());
                    fs::write(&conf, line + before.as_str()).expect("sshd's configuration");
                    host.stop_sshd();
                    host.start_sshd();
                }
                let key = fs::read_to_string(format!("{authority}.pub")).expect("a key");
                fs::write(&file, format!("@cert-authority * {key}")).expect("the known hosts");
            }
        }
    }

    /// Turns what the lab put on the hosts into another tool's releases, or gives it another owner.
    fn take_over(&self, lab: &Lab) {
        let revision = lab.project.resolve("v3.0.0");
        for name in self.web() {
            let host = lab.host(name);
            if self.first == First::AnotherTool {
                let line = format!(
                    "set -e; cd /srv/shop; old=releases/20240101120000; mv releases/* $old; echo {revision} > $old/REVISION
                    ln -s $old .next; chown -h $(stat -c %u:%g releases) .next $old/REVISION; mv -T .next current"
                );
                host.sh(&line).expect_ok();
            }
            if self.first == First::Nothing && self.sudo == Sudo::None {
                host.sh("mkdir /srv/shop && chown deploy: /srv/shop").expect_ok();
            }
            if self.owner == "root" && self.first != First::Nothing {
                host.sh("cd /srv/shop; chown -hR root:root .; chown -R shop-web shared/public/uploads").expect_ok();
            }
        }
    }

    fn write_fleet(&self, lab: &Lab) {
        lab.edit("fleets/prod.toml", |text| {
            let version = format!("version = '{}{}'", self.probe, self.pattern);
            let mut text = replaced(&text, "version = \"header:X-Release\"", &version);
            text = replaced(&text, ":8080/health", &format!(":8080{}", self.url));
            if self.dies_late {
                text = replaced(&text, "over = \"1s\"", "over = \"2s\"");
                text = replaced(&text, "settle = \"200ms\"\n", "");
            } else {
                text = replaced(&text, "good = 3\nover = \"1s\"", "good = 2\nover = \"300ms\"");
            }
            text = replaced(&text, "within = \"15s\"", "within = \"6s\"");
            if self.line.is_some() {
                text = replaced(&text, "drain_within = \"8s\"", "drain_within = \"40s\"");
            }
            if self.sudo != Sudo::None {
                text = replaced(&text, "user = \"shop\"", &format!("user = \"{}\"", self.owner));
            }
            if matches!(self.address, Address::Name | Address::Alias) {
                for name in self.web() {
                    text = replaced(&text, &format!(", address = \"{}\"", lab.host(name).address), "");
                }
            }
            if self.read_only {
                text = format!("state = \"/var/tmp/rfab\"\n{text}");
            }
            if let Route::Via(via) = self.route {
                text = format!("via = \"{via}\"\n{text}");
            }
            if self.made == Made::Package {
                text = packaged::fleet(&text, self.sudo);
            }
            replaced(&text, "repository = \".\"", &format!("repository = \"{}\"", self.repository(lab)))
        });
        lab.edit("fabfile.rhai", |text| text + TASKS);
        let made = format!("host.sudo(\"install -d -o {} {}\")", self.owner, self.path());
        let task = format!("\nfn made() {{ targets().each(|host| {made}); }}\n");
        lab.edit("fabfile.rhai", |text| text + task.as_str());
        lab.edit(".gitignore", |_| "/shop.tar\n".to_owned());
    }

    /// Makes the repository, and returns it as the fleet file names it.
    fn repository(&self, lab: &Lab) -> String {
        let remote = lab.project.remote.display().to_string();
        let clone = |options: &[&str], from: &str| {
            let to = lab.folder.join("shop").display().to_string();
            lab.project.git(&[&["clone", "-q"], options, &[from, &to]].concat()).expect_ok();
            to
        };
        match self.repository {
            Repository::Around => ".".to_owned(),
            Repository::Bare => remote,
            Repository::Url => format!("file://{remote}"),
            Repository::Clone => clone(&[], &remote),
            Repository::Shallow => clone(&["--depth", "1"], &format!("file://{remote}")),
            Repository::Partial(filter) => {
                let option = format!("--filter={filter}");
                clone(&[&option, "--no-checkout"], &format!("file://{remote}"))
            }
            Repository::Reftable => clone(&["--ref-format=reftable"], &remote),
            Repository::Worktree => {
                let to = lab.folder.join("shop").display().to_string();
                lab.project.git(&["worktree", "add", "-q", "--detach", &to]).expect_ok();
                to
            }
        }
    }
}

/// Further tasks for the repository's own fabfile: what they release isn't the tree of a commit.
const TASKS: &str = r#"
import "std/drain" as draining;
import "std/package" as packaging;
private fn building() {
    hooks() + #{
        build: |folder| local::cd(folder).run(sh("mkdir dist; for f in *; do [ $f = dist ] || cp -R $f dist; done")),
        built: "dist",
    }
}
private fn packed(reference, sha256) { release::archive("shop.tar", sha256, #{ commit: release::resolve(reference) }) }

fn alone() { draining::out(targets().without(targets().select("web1")), "alone"); }
fn install(version) { packaging::deploy(version, #{}); }
fn release_built(reference) { deploying::release(reference, building()) }
fn deploy_built(reference) { deploying::deploy(reference, building()) }
fn release_archive(reference, sha256) { deploying::release(packed(reference, sha256), hooks()) }
fn deploy_archive(reference, sha256) { deploying::deploy(packed(reference, sha256), hooks()) }
"#;

/// Replaces one text by another in a text, which must contain it.
pub fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` isn't in {text}");
    text.replace(from, to)
}

/// Returns a text without the lines that begin like this.
fn without(text: &str, start: &str) -> String {
    text.lines().filter(|line| !line.starts_with(start)).map(|line| format!("{line}\n")).collect()
}

/// Returns what the app reports of a release for this template.
pub fn said(template: &str, release: &str, page: &str) -> String {
    let commit = Path::new(release).to_str().and_then(|name| name.split_once('-')).map_or("", |(_, commit)| commit);
    let tag = page.trim().trim_start_matches("shop ");
    let known = [
        ("{commit}", commit),
        ("{short}", &commit[..7.min(commit.len())]),
        ("{tag}", tag),
        ("{bare}", tag.trim_start_matches('v')),
        ("{folder}", release),
    ];
    known.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}
