//! The settings of a fleet file, with all defaults filled in.
use super::{DriverSettings, Pattern, TagPattern, TransportKind, TreeRules};
use crate::host::{Host, Name};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The settings of a fleet, with all defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// The file's name without its extension.
    pub name: Name,
    /// For a fleet of one app: the fleet with the file that it's written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Name>,
    /// The folder that paths of the file start from.
    pub folder: PathBuf,
    pub guarded: bool,
    /// An ssh configuration that is read before the user's.
    pub ssh: Option<PathBuf>,
    /// How long a connection stays open after its last use.
    #[serde(default = "ten_minutes")]
    pub persist: Duration,
    /// What reaches the hosts.
    #[serde(default)]
    pub transport: TransportKind,
    pub accept: Vec<Accept>,
    pub via: Option<String>,
    pub user: Option<Name>,
    pub deploy_live: bool,
    /// The parent folder of ledger, marks and lock on the machine that keeps them; the fleet's name comes after it.
    pub state: String,
    /// What a forge must know of a commit before it's deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The app that is deployed, if the fleet has one.
    pub app: Option<App>,
    /// The fleets of its apps, if the fleet has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Fleet>,
    /// In the file's order, with ranges unrolled.
    pub hosts: Vec<Host>,
    /// By name.
    pub balancers: Vec<Balancer>,
    /// Pools that aren't asked about in this run, with the role of their servers. No host is in them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unasked: BTreeMap<Name, Name>,
    /// Groups and roles in the order of deployment.
    pub order: Vec<Name>,
}

/// Returns how long a connection stays open if the fleet file doesn't say.
pub(super) fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

/// A kind of reference that may be deployed to a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    Stable,
    Tag,
    Branch,
    Commit,
    /// An archive that doesn't belong to a commit.
    Archive,
}

/// What a forge must know of a commit before it's deployed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    pub forge: ForgeKind,
    /// The path of the project there, such as `owner/name`.
    pub project: String,
    /// The root of its API, without a slash at the end.
    pub url: String,
    pub token: TokenSource,
    /// The branch whose rules count.
    pub branch: String,
    /// Whether the required checks must be green.
    pub checks: bool,
    /// How many people must have approved.
    pub reviews: u32,
    /// Whether pull requests move the branches that a finish would push to.
    #[serde(default)]
    pub pulls: bool,
    /// How long a deploy waits.
    pub within: Duration,
    /// The environment that deploys are reported for; `None` if they aren't.
    pub environment: Option<String>,
}

/// The software of a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    Github,
    Gitlab,
    Gitea,
}

/// Where a forge's token is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenSource {
    /// A variable of rfab's environment.
    Env(String),
    /// A file inside the fabfile's folder.
    File(String),
    /// The words of a program that prints it.
    Command(String),
}

/// An app that is deployed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct App {
    /// The key after `app.`, or the fleet's name if it has one app.
    pub name: Name,
    /// The roles of the hosts that get it; empty if every host of the fleet does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Name>,
    /// A folder, made absolute, or a URL.
    pub repository: String,
    /// Which tags are its releases; `None` for `vX.Y.Z` and `X.Y.Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagPattern>,
    /// The folder on the hosts as the fleet file has it; see `path_on`.
    pub path: String,
    /// The user who owns the releases; the login user if it's missing.
    pub user: Option<Name>,
    pub keep: usize,
    /// What of a commit becomes a release.
    #[serde(flatten)]
    pub rules: TreeRules,
    /// Folders of a release in which the files of other releases stay reachable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    pub service: Option<Service>,
    pub health: Option<Health>,
}

/// The units of an app and the commands for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Units by role.
    pub units: BTreeMap<Name, Vec<Name>>,
    pub restart: Verb,
    pub start: Verb,
    pub stop: Verb,
    pub status: Verb,
    pub logs: Verb,
    pub follow: Verb,
    /// Asks the service to take no new work; `None` if that isn't needed.
    pub quiet: Option<Verb>,
    /// Exits with 0 after the service has finished its work.
    pub idle: Option<Verb>,
    /// How long the service may take to finish its work.
    pub quiet_within: Duration,
    /// Installs a version of the app's package; `{version}` stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Verb>,
    /// Prints the installed version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Verb>,
}

/// A command for a unit; `{unit}` stands for its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Verb {
    /// Split into words, and run by sudo.
    Sudo(String),
    /// Run as it is.
    Plain(Vec<String>),
}

/// How a host proves that it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The URL; `{address}`, `{name}`, `{n}` and variables stand for the host's values.
    pub url: String,
    /// The `Host` header, if it differs from the URL's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The first and last status of each range of good ones; 2xx if it's empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<(u16, u16)>,
    /// A text that the body of a good response contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The name that the certificate is for, if it isn't the URL's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// A file with the certificates of the authorities to trust, instead of this machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    pub version: Version,
    /// Finds the version in the text; `None` if the whole text is the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Good responses in a row …
    pub good: u32,
    /// … that span at least this …
    pub over: Duration,
    /// … within this.
    pub within: Duration,
    /// How long a host is watched after it's put back, before the next ones are drained and before the run prints `ok`.
    #[serde(default)]
    pub settle: Duration,
}

/// Where rfab reads the served version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// A header of this name.
    Header(String),
    /// A JSON pointer into the body.
    Json(String),
    /// The whole body, trimmed.
    Body,
    /// The folder that the processes of the service run in.
    Process,
    /// Nothing proves it.
    None,
}

/// What makes servers live or takes them out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balancer {
    pub name: Name,
    /// The machine it is on.
    pub host: Host,
    #[serde(rename = "socket")]
    pub driver: DriverSettings,
    /// The role of a pool's servers, by pool.
    pub pools: BTreeMap<Name, Name>,
    /// The name of a server in pools that `servers` doesn't have; `{name}` stands for the host's name.
    pub server: String,
    /// The names of a host's servers by pool, with `{name}`, `{n}` or a variable of the host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<Name, Vec<String>>,
    pub drain_within: Duration,
    /// Whether connections that are still open after that are closed.
    #[serde(default)]
    pub force_close: bool,
    pub min_live: Option<MinLive>,
}

/// The fewest servers of a pool that must stay live.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MinLive {
    Count(usize),
    Percent(u8),
}

impl Fleet {
    /// Lists the names of the fleet, its balancers, pools, hosts, groups and roles, and the addresses of its hosts.
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

/// Writes only a fleet's name, as effects record it.
pub fn by_name<S: serde::Serializer>(fleet: &std::sync::Arc<Fleet>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&fleet.name)
}
