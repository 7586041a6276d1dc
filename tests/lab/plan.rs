//! What a lab is made of, as plain data.
use super::Debian;

/// The hosts, balancers and fleets that a lab starts with.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub hosts: Vec<HostPlan>,
    pub balancers: Vec<BalancerPlan>,
    /// The tag that hosts with a unit serve when the lab is up; `None` leaves `/srv` empty, as on a fresh machine.
    pub serving: Option<&'static str>,
    /// The release whose programs the operator has, which must be made; `None` for those of this machine.
    pub operator: Option<Debian>,
    /// The hash of the repository's objects, `sha256`; `None` is sha1.
    pub hash: Option<&'static str>,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct HostPlan {
    pub name: &'static str,
    pub kind: Kind,
    /// The release whose programs it has, which must be made; `None` for those of this machine.
    pub debian: Option<Debian>,
    pub shell: &'static str,
    /// That of a login, in octal.
    pub umask: &'static str,
    pub sudo: Sudo,
    /// The fleet file that names it: `prod`, `testing1`; none for jump hosts and for balancers' own machines.
    pub fleet: Option<&'static str>,
    pub group: Option<&'static str>,
    pub roles: Vec<&'static str>,
    /// The jump host in front of it. Only that host can resolve its name.
    pub behind: Option<&'static str>,
    /// The size of `/srv` in KiB, where it is a disk of its own.
    pub disk: Option<u32>,
    /// Whether it is also at [`super::Host::ipv6`]. Only a test in a network namespace of its own has such addresses.
    pub ipv6: bool,
    /// Further lines for its sshd; the first value of a keyword counts, and these stand first.
    pub sshd: Vec<&'static str>,
}

/// What answers at a host's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Debian machine.
    Plain,
    /// A machine whose only programs are busybox's.
    Busybox,
    /// Accepts TCP and never says a word.
    Mute,
    /// Refuses TCP.
    Dead,
    /// Does not answer at all, as behind a firewall that drops.
    BlackHole,
}

/// What the login user may do by sudo. As an ordinary user a lab has only `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sudo {
    None,
    Free,
    /// Asks once for [`PASSWORD`].
    Password,
    /// Asks each time: `timestamp_timeout=0`.
    EachTime,
}

/// The login user's password for sudo.
pub const PASSWORD: &str = "correct-horse-7Qx9";

/// An HAProxy on a machine of its name.
#[derive(Clone, Debug)]
pub struct BalancerPlan {
    pub name: &'static str,
    /// Backend, and the role whose hosts are its servers; the n-th has its frontend at port 8000 + n.
    pub pools: Vec<(&'static str, &'static str)>,
    pub shape: Shape,
}

/// How people have set up an HAProxy. The default checks each server and binds nobody to it.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Lines of a pool's backend, or of all with `""`: `cookie SRV insert indirect nocache`.
    pub backend: Vec<(&'static str, &'static str)>,
    /// Words behind the servers of a host, or of all with `""`: `weight 0`, `backup`, `cookie {name}`.
    pub server: Vec<(&'static str, &'static str)>,
    /// Whole lines of servers that are of no fleet, in every backend.
    pub others: Vec<&'static str>,
    /// Pools whose servers `track` those of another pool, and which.
    pub tracks: Vec<(&'static str, &'static str)>,
    /// What the servers of a host are called, such as `{name}-a` or `{name}.{pool}`; none is `{name}`.
    pub names: Vec<&'static str>,
    /// Servers by `server-template`, to which a program says their addresses when HAProxy has started.
    pub template: bool,
    /// Servers without `check`.
    pub unchecked: bool,
    /// `mode tcp`.
    pub tcp: bool,
    /// An agent on each host, which answers what the test tells it to; `up 100%` at first.
    pub agent: bool,
    pub socket: Socket,
    /// Further lines of `[balancer.NAME]` in the fleet file.
    pub fleet: Vec<&'static str>,
}

/// How rfab may speak to an HAProxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Socket {
    /// A unix socket of the login user's, with `level admin`.
    #[default]
    Admin,
    /// The same with `level operator`.
    Operator,
    /// A unix socket that only root may open: `mode 600`.
    Root,
    /// Port 9999 of its machine.
    Tcp,
    /// The master's, `haproxy -S`.
    Master,
}

impl Plan {
    pub fn new() -> Plan {
        Plan::default()
    }

    /// Six web hosts in two groups behind `lb1`, and a testing host; all serve v3.0.0.
    pub fn shop() -> Plan {
        let web = |name, group| HostPlan::new(name).fleet("prod").group(group).role("web").sudo(Sudo::Free);
        let mut plan = Plan::new().serving("v3.0.0");
        for name in ["web1", "web2", "web3"] {
            plan = plan.host(web(name, "group1"));
        }
        for name in ["web4", "web5", "web6"] {
            plan = plan.host(web(name, "group2"));
        }
        plan.host(HostPlan::new("test1").fleet("testing1").role("web").sudo(Sudo::Free))
            .balancer("lb1", &[("bk_web", "web")])
    }

    pub fn host(mut self, host: HostPlan) -> Plan {
        self.hosts.push(host);
        self
    }

    /// Adds an HAProxy and the machine it is on.
    pub fn balancer(mut self, name: &'static str, pools: &[(&'static str, &'static str)]) -> Plan {
        self.balancers.push(BalancerPlan { name, pools: pools.to_vec(), shape: Shape::default() });
        if !self.hosts.iter().any(|host| host.name == name) {
            self.hosts.push(HostPlan::new(name));
        }
        self
    }

    /// Gives every HAProxy a shape.
    pub fn shaped(mut self, shape: Shape) -> Plan {
        self.balancers.iter_mut().for_each(|balancer| balancer.shape = shape.clone());
        self
    }

    pub fn serving(mut self, tag: &'static str) -> Plan {
        self.serving = Some(tag);
        self
    }

    pub fn hash(self, hash: &'static str) -> Plan {
        Plan { hash: Some(hash), ..self }
    }

    /// Changes the plan of one host.
    pub fn with(mut self, name: &str, change: impl FnOnce(HostPlan) -> HostPlan) -> Plan {
        let at = self.hosts.iter().position(|host| host.name == name).expect("a host of that name");
        let host = self.hosts.remove(at);
        self.hosts.insert(at, change(host));
        self
    }
}

impl HostPlan {
    pub fn new(name: &'static str) -> HostPlan {
        HostPlan {
            name,
            kind: Kind::Plain,
            debian: None,
            shell: "/bin/sh",
            umask: "022",
            sudo: Sudo::None,
            fleet: None,
            group: None,
            roles: Vec::new(),
            behind: None,
            disk: None,
            ipv6: false,
            sshd: Vec::new(),
        }
    }

    pub fn kind(self, kind: Kind) -> HostPlan {
        HostPlan { kind, ..self }
    }

    pub fn shell(self, shell: &'static str) -> HostPlan {
        HostPlan { shell, ..self }
    }

    pub fn umask(self, umask: &'static str) -> HostPlan {
        HostPlan { umask, ..self }
    }

    pub fn sudo(self, sudo: Sudo) -> HostPlan {
        HostPlan { sudo, ..self }
    }

    pub fn fleet(self, fleet: &'static str) -> HostPlan {
        HostPlan { fleet: Some(fleet), ..self }
    }

    pub fn group(self, group: &'static str) -> HostPlan {
        HostPlan { group: Some(group), ..self }
    }

    pub fn role(mut self, role: &'static str) -> HostPlan {
        self.roles.push(role);
        self
    }

    pub fn behind(self, jump: &'static str) -> HostPlan {
        HostPlan { behind: Some(jump), ..self }
    }

    pub fn disk(self, kib: u32) -> HostPlan {
        HostPlan { disk: Some(kib), ..self }
    }

    pub fn ipv6(self) -> HostPlan {
        HostPlan { ipv6: true, ..self }
    }

    pub fn sshd(mut self, line: &'static str) -> HostPlan {
        self.sshd.push(line);
        self
    }

    /// Whether there is a machine at its address at all.
    pub fn is_machine(&self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Busybox)
    }
}
