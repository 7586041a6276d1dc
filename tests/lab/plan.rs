//! The parts of a lab, as plain data.
use super::Debian;

/// The hosts, balancers and fleets that a lab starts with.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub hosts: Vec<HostPlan>,
    pub balancers: Vec<BalancerPlan>,
    /// The tag that hosts with a unit serve at first; `None` leaves `/srv` empty, as on a fresh machine.
    pub serving: Option<&'static str>,
    /// The Debian release of the operator's programs, which must be made; `None` for this machine's own.
    pub operator: Option<Debian>,
    /// The hash of the repository's objects, such as `sha256`; `None` for sha1.
    pub hash: Option<&'static str>,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct HostPlan {
    pub name: &'static str,
    pub kind: Kind,
    /// The Debian release of its programs, which must be made; `None` for this machine's own.
    pub debian: Option<Debian>,
    pub shell: &'static str,
    /// The umask of a login, in octal.
    pub umask: &'static str,
    pub sudo: Sudo,
    /// The fleet that names it, such as `prod` or `testing1`; `None` for jump hosts and the balancers' machines.
    pub fleet: Option<&'static str>,
    pub group: Option<&'static str>,
    pub roles: Vec<&'static str>,
    /// The jump host in front of it, which alone can resolve its name.
    pub behind: Option<&'static str>,
    /// The size of `/srv` in KiB, if that is a separate disk.
    pub disk: Option<u32>,
    /// Whether it also listens at [`super::Host::ipv6`]. Only a test with its own network namespace has such addresses.
    pub ipv6: bool,
    /// Further lines for its sshd. They come first, because sshd uses the first value of a keyword.
    pub sshd: Vec<&'static str>,
}

/// What answers at a host's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Debian machine.
    Plain,
    /// A machine whose only programs are busybox's.
    Busybox,
    /// Accepts TCP and never sends a byte.
    Mute,
    /// Refuses TCP.
    Dead,
    /// Doesn't answer at all, as behind a firewall that drops.
    BlackHole,
}

/// What the login user may do with sudo. If the lab isn't root's, only `None` works.
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

/// An HAProxy, on a machine with its name.
#[derive(Clone, Debug)]
pub struct BalancerPlan {
    pub name: &'static str,
    /// Each backend, with the role of the hosts that are its servers; the n-th has its frontend at port 8000 + n.
    pub pools: Vec<(&'static str, &'static str)>,
    pub shape: Shape,
}

/// The configuration of an HAProxy. By default it checks each server and binds nobody to one.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Lines in a pool's backend, or in all with `""`: `cookie SRV insert indirect nocache`.
    pub backend: Vec<(&'static str, &'static str)>,
    /// Words after the servers of a host, or of all with `""`: `weight 0`, `backup`, `cookie {name}`.
    pub server: Vec<(&'static str, &'static str)>,
    /// Whole lines of servers that belong to no fleet, in every backend.
    pub others: Vec<&'static str>,
    /// Pools whose servers `track` those of another pool, each with that pool.
    pub tracks: Vec<(&'static str, &'static str)>,
    /// The names of a host's servers, such as `{name}-a` or `{name}.{pool}`; if empty, `{name}`.
    pub names: Vec<&'static str>,
    /// Whether servers come from `server-template`, and get their addresses after HAProxy has started.
    pub template: bool,
    /// Whether servers have no `check`.
    pub unchecked: bool,
    /// Whether it has `mode tcp`.
    pub tcp: bool,
    /// Whether each host has an agent, which answers what the test sets; at first `up 100%`.
    pub agent: bool,
    pub socket: Socket,
    /// Further lines in `[balancer.NAME]` of the fleet file.
    pub fleet: Vec<&'static str>,
}

/// The socket by which rfab controls an HAProxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Socket {
    /// A unix socket that the login user owns, with `level admin`.
    #[default]
    Admin,
    /// The same with `level operator`.
    Operator,
    /// A unix socket that only root can open: `mode 600`.
    Root,
    /// Port 9999 of its machine.
    Tcp,
    /// The socket of the master, `haproxy -S`.
    Master,
}

impl Plan {
    pub fn new() -> Plan {
        Plan::default()
    }

    /// Plans six web hosts in two groups behind `lb1`, and a testing host; all serve v3.0.0.
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

    /// Adds an HAProxy and its machine.
    pub fn balancer(mut self, name: &'static str, pools: &[(&'static str, &'static str)]) -> Plan {
        self.balancers.push(BalancerPlan { name, pools: pools.to_vec(), shape: Shape::default() });
        if !self.hosts.iter().any(|host| host.name == name) {
            self.hosts.push(HostPlan::new(name));
        }
        self
    }

    /// Gives every HAProxy this shape.
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

    /// Returns whether a machine is at its address.
    pub fn is_machine(&self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Busybox)
    }
}
