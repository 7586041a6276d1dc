//! What a fleet file says, with every default filled in.
use super::{DriverSettings, Pattern};
use crate::host::{Host, Name};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// What a fleet file says, with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// The file's name without its ending.
    pub name: Name,
    /// The fleet that it is an app of, in whose file it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Name>,
    /// The folder that paths of the file start from.
    pub folder: PathBuf,
    pub guarded: bool,
    /// An ssh configuration that is included before the user's.
    pub ssh: Option<PathBuf>,
    pub accept: Vec<Accept>,
    pub via: Option<String>,
    pub user: Option<Name>,
    pub deploy_live: bool,
    /// The folder of ledger, marks and lock on balancer hosts, before the fleet's name is put behind it.
    pub state: String,
    /// What is deployed, if that is one app.
    pub app: Option<App>,
    /// The fleets of its apps, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Fleet>,
    /// In the file's order, ranges unrolled.
    pub hosts: Vec<Host>,
    /// By name.
    pub balancers: Vec<Balancer>,
    /// Pools, and the roles of their servers, whose balancers are not asked in this run: no host stands in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unasked: BTreeMap<Name, Name>,
    /// Groups and roles in the order they are deployed in.
    pub order: Vec<Name>,
}

/// What kind of reference may be deployed to a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    Stable,
    Tag,
    Branch,
    Commit,
    /// An archive that is of no commit.
    Archive,
}

/// What is deployed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// The key behind `app.`, or the fleet's name where there is one app.
    pub name: Name,
    /// The roles of the hosts that get it; every host of the fleet if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Name>,
    /// A folder, made absolute, or a URL.
    pub repository: String,
    /// The folder on the hosts, as the fleet file has it: see `path_on`.
    pub path: String,
    /// Owns the releases; the login user if absent.
    pub user: Option<Name>,
    pub keep: usize,
    pub linked: Vec<String>,
    /// Folders of a release in which files of other releases stay reachable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    pub service: Option<Service>,
    pub health: Option<Health>,
}

/// The units of an app and how they are told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Role to units.
    pub units: BTreeMap<Name, Vec<Name>>,
    pub restart: Verb,
    pub start: Verb,
    pub stop: Verb,
    pub status: Verb,
    pub logs: Verb,
    pub follow: Verb,
    /// Asks it to take up nothing new; none where it need not be asked.
    pub quiet: Option<Verb>,
    /// Ends with 0 once it has nothing in hand.
    pub idle: Option<Verb>,
    /// How long what it has in hand may take.
    pub quiet_within: Duration,
    /// How a version of the app's package is installed; `{version}` stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Verb>,
    /// What prints the version that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Verb>,
}

/// How a unit is told to do something; `{unit}` stands for its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Verb {
    /// Split into words and run by sudo.
    Sudo(String),
    /// Run as it is.
    Plain(Vec<String>),
}

/// How a host proves that it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `{address}`, `{name}`, `{n}` and variables stand for the host's.
    pub url: String,
    /// The `Host` header, where it is not the URL's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The first and last status of each range of good ones; 2xx if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<(u16, u16)>,
    /// A text that a good response's body has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The name that the certificate is for, where it is not the URL's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// A file with the certificates of the authorities that count, in place of this machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    pub version: Version,
    /// Finds the version in what stands there; all of it where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Good responses in a row …
    pub good: u32,
    /// … that span at least this …
    pub over: Duration,
    /// … within this.
    pub within: Duration,
    /// How long a host that was put back is watched before the next ones go out, and before the run says `ok`.
    #[serde(default)]
    pub settle: Duration,
}

/// Where the served commit is proven.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// A header of this name.
    Header(String),
    /// A JSON pointer into the body.
    Json(String),
    /// The whole body, trimmed.
    Body,
    /// The folder that the service's processes run in.
    Process,
    /// It is not.
    None,
}

/// What takes servers in and out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balancer {
    pub name: Name,
    /// The machine it is on.
    pub host: Host,
    #[serde(rename = "socket")]
    pub driver: DriverSettings,
    /// Pool to the role whose hosts are its servers.
    pub pools: BTreeMap<Name, Name>,
    /// A server's name in pools that `servers` does not have; `{name}` stands for the host's.
    pub server: String,
    /// The names of a host's servers by pool, with `{name}`, `{n}` or a variable of the host's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<Name, Vec<String>>,
    pub drain_within: Duration,
    /// Whether what is open after that is closed.
    #[serde(default)]
    pub force_close: bool,
    pub min_live: Option<MinLive>,
}

/// The fewest servers of a pool that stay live.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MinLive {
    Count(usize),
    Percent(u8),
}

impl Fleet {
    /// What it calls itself, its machines and their kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let machines = self.hosts.iter().chain(self.balancers.iter().map(|b| &b.host));
        let of_machines = machines.flat_map(|host| {
            [&*host.name, host.address()]
                .into_iter()
                .chain(host.group.as_deref())
                .chain(host.roles.iter().map(|r| &**r))
        });
        let of_pools = self.balancers.iter().flat_map(|b| b.pools.keys().chain([&b.name]).map(|name| &**name));
        [&*self.name].into_iter().chain(of_machines).chain(of_pools)
    }
}

/// Writes a fleet by its name alone, as effects record it.
pub fn by_name<S: serde::Serializer>(fleet: &std::sync::Arc<Fleet>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&fleet.name)
}
