//! A lab as a row of the table wants it.
use crate::lab::{HostPlan, Kind, Lab, Plan, Shape, Sudo};
use std::{fs, path::Path};

/// What the values of a row have asked for; the default is the lab as other tests have it.
pub struct Making {
    pub probe: &'static str,
    /// What stands behind it in the fleet file, so that a text around a version is read.
    pub pattern: &'static str,
    pub url: &'static str,
    /// What the app says: [`said`] fills it in.
    pub says: &'static str,
    pub reference: Reference,
    pub repository: Repository,
    pub first: First,
    /// Hosts of a group.
    pub size: usize,
    pub address: Address,
    pub sudo: Sudo,
    /// The user that the app belongs to, where there is sudo.
    pub owner: &'static str,
    pub shell: &'static str,
    /// Files of the login user's home, with their texts.
    pub home: Vec<(&'static str, &'static str)>,
    pub umask: &'static str,
    pub kind: Kind,
    pub shape: Shape,
    pub pools: Vec<&'static str>,
    /// People with a cookie and a name who send the requests; 0 for nobody in particular.
    pub people: usize,
}

/// What is typed to name a release.
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
}

/// What is on the hosts before rfab comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    Rfab,
    Nothing,
    AnotherTool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Address {
    Ipv4,
    Name,
}

const WEB: [&str; 6] = ["web1", "web2", "web3", "web4", "web5", "web6"];

impl Making {
    pub fn new() -> Making {
        Making {
            probe: "header:X-Release",
            pattern: "",
            url: "/health",
            says: "{commit}",
            reference: Reference::Tag,
            repository: Repository::Around,
            first: First::Rfab,
            size: 1,
            address: Address::Ipv4,
            sudo: Sudo::Free,
            owner: "shop",
            shell: "/bin/sh",
            home: Vec::new(),
            umask: "022",
            kind: Kind::Plain,
            shape: Shape { fleet: vec!["drain_within = \"8s\""], ..Shape::default() },
            pools: vec!["bk_web"],
            people: 0,
        }
    }

    /// The names of the web hosts, in order.
    pub fn web(&self) -> Vec<&'static str> {
        WEB[..2 * self.size].to_vec()
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan::new();
        for (at, name) in self.web().into_iter().enumerate() {
            let group = if at < self.size { "group1" } else { "group2" };
            let host = HostPlan::new(name).fleet("prod").group(group).role("web").kind(self.kind);
            plan = plan.host(host.sudo(self.sudo).shell(self.shell).umask(self.umask));
        }
        let pools: Vec<(&str, &str)> = self.pools.iter().map(|pool| (*pool, "web")).collect();
        plan = plan.balancer("lb1", &pools).shaped(self.shape.clone());
        plan = plan.with("lb1", |host| host.shell(self.shell).umask(self.umask));
        if self.first == First::Nothing { plan } else { plan.serving("v3.0.0") }
    }

    /// Starts the lab, and makes of it what a plan can't say.
    pub fn lab(&self) -> Lab {
        let lab = Lab::start(self.plan());
        for host in &lab.hosts {
            for (file, text) in &self.home {
                fs::write(host.folder.join("home/deploy").join(file), text).expect("a file of a home");
            }
        }
        for name in self.web() {
            lab.host(name).unit("shop").says(self.says);
        }
        self.take_over(&lab);
        self.write_fleet(&lab);
        if self.address == Address::Name {
            let names: Vec<String> =
                self.web().iter().map(|name| format!("{} {name}\n", lab.host(name).address)).collect();
            let file = lab.host("lb1").folder.join("etc/hosts");
            let before = fs::read_to_string(&file).expect("the names that a machine knows");
            fs::write(&file, before + names.concat().as_str()).expect("the names that a machine knows");
        }
        lab
    }

    /// Makes what the lab put on the hosts another tool's, or another owner's.
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
        let replace = |text: &mut String, from: &str, to: &str| {
            assert!(text.contains(from), "`{from}` is not in the fleet file: {text}");
            *text = text.replace(from, to);
        };
        lab.edit("fleets/prod.toml", |mut text| {
            let version = format!("version = '{}{}'", self.probe, self.pattern);
            replace(&mut text, "version = \"header:X-Release\"", &version);
            replace(&mut text, ":8080/health", &format!(":8080{}", self.url));
            replace(&mut text, "good = 3\nover = \"1s\"", "good = 2\nover = \"300ms\"");
            replace(&mut text, "within = \"15s\"", "within = \"6s\"");
            if self.sudo != Sudo::None {
                replace(&mut text, "user = \"shop\"", &format!("user = \"{}\"", self.owner));
            }
            if self.address == Address::Name {
                for name in self.web() {
                    replace(&mut text, &format!(", address = \"{}\"", lab.host(name).address), "");
                }
            }
            replace(&mut text, "repository = \".\"", &format!("repository = \"{}\"", self.repository(lab)));
            text
        });
        lab.project.commit(&[]);
        lab.project.git(&["push", "-q", "origin", "main"]).expect_ok();
    }

    /// Makes the repository, and says it as the fleet file does.
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
            Repository::Worktree => {
                let to = lab.folder.join("shop").display().to_string();
                lab.project.git(&["worktree", "add", "-q", "--detach", &to]).expect_ok();
                to
            }
        }
    }
}

/// What the app says of a release where it is to say `template`.
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
