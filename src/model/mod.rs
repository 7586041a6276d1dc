//! Hosts, balancers and a clock as plain data.
mod fact;
mod history;
mod machine;
mod pool;
mod prepared;
mod server;

pub use fact::{Fact, Miss, Predicted};
pub use history::PredictedCommit;
pub use machine::{Machine, ModelOutput};
pub use pool::{PoolServer, StateFolder};
pub use prepared::PreparedCommits;
pub use server::ModelAnswer;

use crate::{
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    ledger::line::AT,
    port::Admin,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Milliseconds since the run began.
pub type Time = u64;

/// 40 hex digits, or 64 with sha256.
pub type Commit = Name;

/// The tree of a commit on hosts, with the number that the fleet gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    pub number: u32,
    /// The whole commit, or the part that the host knows: at least 12 digits.
    pub commit: Commit,
}

impl Release {
    /// Returns whether it's a release of this commit, whole or short.
    pub fn is_of(&self, commit: &str) -> bool {
        let short = self.commit.len().min(commit.len());
        short >= 12 && self.commit[..short] == commit[..short]
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{}", self.number, &self.commit[..self.commit.len().min(12)])
    }
}

/// The simulated world.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now: Time,
    /// When the current effect began.
    pub began: Time,
    /// How long it takes.
    pub spent: Time,
    /// The identity of the current effect: its run, lane and number.
    pub id: String,
    /// The places that the current effect drains or readies, for hosts with only some of their places: `BALANCER/POOL`.
    pub only_in: BTreeMap<Name, Vec<String>>,
    /// The number of runs so far.
    pub runs: u32,
    /// The commit that every host serves at first.
    pub first: Commit,
    pub fleets: BTreeMap<Name, Arc<Fleet>>,
    /// By fleet and name.
    pub machines: BTreeMap<(Name, Name), Machine>,
    /// This machine: how commands on it end, and what they changed.
    pub here: Machine,
    /// What servers answer, by the request as people see it; the last answer that has begun counts.
    pub answers: BTreeMap<String, Vec<ModelAnswer>>,
    /// By fleet, balancer, pool and the host's name.
    pub servers: BTreeMap<(Name, Name, Name, Name), PoolServer>,
    pub states: BTreeMap<Name, StateFolder>,
    /// By fleet and balancer. An epoch changes when the balancer forgets.
    pub epochs: BTreeMap<(Name, Name), u64>,
    /// When somebody reloads balancers: the time, fleet and balancer.
    pub forgets_at: Vec<(Time, Name, Name)>,
    /// The text that a service reports about its release, with `{commit}` (or its package's version), `{short}` (7
    /// digits), `{tag}`, `{bare}` (the tag without `v`) and `{folder}`. If it's empty, the service reports nothing.
    pub says: String,
    /// The value of `{tag}` for each commit.
    pub tags: BTreeMap<Commit, String>,
    /// The status and body of a healthy service; by default 200 and the text about its release.
    pub page: Option<(u16, String)>,
    /// Commits with a service that never becomes healthy.
    pub sick: BTreeSet<Commit>,
    /// When commits stop being healthy, because users found something.
    pub sick_at: Vec<(Time, Commit)>,
    /// The changes of repositories that a dry run only pretends to make, by repository.
    pub repositories: BTreeSet<(String, String)>,
    /// Refs that a run moved, by repository and full name, and the commits that they name; `None` if deleted.
    pub refs: BTreeMap<(String, String), Option<Commit>>,
    /// The branches that a run switched to, by repository.
    pub checked_out: BTreeMap<String, String>,
    /// Settings that a run wrote, by repository and name; `None` if removed.
    pub settings: BTreeMap<(String, String), Option<String>>,
    /// Commits and tags that a run made.
    pub prepared: PreparedCommits,
    /// The files of repositories that a run wrote, by repository and path, and their texts.
    pub files: BTreeMap<(String, String), String>,
    /// The commits that a run made, by repository and id.
    pub commits: BTreeMap<(String, Commit), PredictedCommit>,
    /// Hosts with a name that doesn't resolve where they're probed from.
    pub unresolved: BTreeSet<(Name, Name)>,
    /// Hosts that don't answer.
    pub dead: BTreeSet<(Name, Name)>,
    /// How often the balancer checks a server …
    pub inter: Time,
    /// … and the number of good responses that it needs.
    pub rise: u64,
    /// The fewest servers that each pool ever had live.
    pub fewest_live: BTreeMap<(Name, Name, Name), usize>,
    /// Hosts that got requests while they were being changed, because a balancer forgot.
    pub exposed: BTreeSet<Name>,
    /// What users would have noticed, no matter what broke the rule.
    pub harmed: Vec<String>,
}

/// A commit that no repository has.
pub const FIRST: &str = "1111111111111111111111111111111111111111";

impl Model {
    pub fn new() -> Self {
        Self {
            inter: 2_000,
            rise: 3,
            first: FIRST.into(),
            says: "{commit}".into(),
            here: Machine::bare(),
            ..Self::default()
        }
    }

    /// Adds a fleet: each host is ready and serves the first release.
    pub fn admit(&mut self, fleet: &Arc<Fleet>) {
        if self.fleets.insert(fleet.name.clone(), fleet.clone()).is_some() {
            return;
        }
        let first = Release { number: 1, commit: self.first.clone() };
        for host in &fleet.hosts {
            self.machines.insert(key(host), Machine::serving(&first));
        }
        self.states.insert(fleet.name.clone(), StateFolder::default());
        for balancer in &fleet.balancers {
            self.machines.entry(key(&balancer.host)).or_insert_with(Machine::bare);
            self.epochs.insert((fleet.name.clone(), balancer.name.clone()), 1);
            for (pool, role) in &balancer.pools {
                for host in fleet.hosts.iter().filter(|h| h.roles.contains(role)) {
                    let at = (fleet.name.clone(), balancer.name.clone(), pool.clone(), host.name.clone());
                    self.servers.insert(at, PoolServer::ready());
                }
            }
        }
        self.watch();
    }

    pub fn machine(&mut self, host: &Host) -> Predicted<&mut Machine> {
        if self.dead.contains(&key(host)) {
            let failure = Failure::new(crate::failure::Cause::Unreachable, "can't be reached: no route to host");
            return Err(failure.on(&host.name).into());
        }
        self.machines.get_mut(&key(host)).ok_or_else(|| Failure::failed("there is no such host").on(&host.name).into())
    }

    pub fn state(&mut self, fleet: &Name) -> Predicted<&mut StateFolder> {
        self.states.get_mut(fleet).ok_or_else(|| Failure::failed(format!("no fleet `{fleet}`")).into())
    }

    /// Writes a line into the ledger of a state folder, with the model's time.
    pub fn write_down(&mut self, fleet: &Name, place: &Name, line: &str) -> Predicted<()> {
        let line = self.dated(line);
        self.state(fleet)?.ledgers.entry(place.clone()).or_default().push(line);
        Ok(())
    }

    /// Fills the time into a ledger line. The simulated world begins in 1970.
    pub fn dated(&self, line: &str) -> String {
        let now = jiff::Timestamp::from_millisecond(self.now as i64).unwrap_or_default();
        line.replace(AT, &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// Returns the text that a host's service reports about its release, if it runs one.
    pub fn service_says(&self, host: &Host) -> Predicted<Option<String>> {
        let Some(machine) = self.machines.get(&key(host)) else { return Ok(None) };
        let Some(running) = machine.running.get("the running release")? else { return Ok(None) };
        let folder = || machine.releases.get("").ok()?.iter().find(|r| r.is_of(running)).map(Release::to_string);
        let folder = if self.says.contains("{folder}") { folder().unwrap_or_default() } else { String::new() };
        let tag = self.tags.get(running).map(String::as_str).unwrap_or_default();
        let known = [
            // A commit that isn't whole is cut to the digits in the name of its release's folder.
            ("{commit}", if running.len() < 40 { running } else { &running[..12] }),
            ("{short}", &running[..running.len().min(7)]),
            ("{tag}", tag),
            ("{bare}", tag.trim_start_matches('v')),
            ("{folder}", &folder),
        ];
        let said = known.iter().fold(self.says.clone(), |text, (name, value)| text.replace(name, value));
        Ok(Some(said).filter(|said| !said.is_empty()))
    }

    pub fn takes(&mut self, time: Time) {
        self.spent = time;
    }

    /// Returns whether the balancer considers a host's servers healthy.
    pub fn up(&self, host: &Host) -> Predicted<bool> {
        let Some(machine) = self.machines.get(&key(host)) else { return Ok(false) };
        if self.dead.contains(&key(host)) {
            return Ok(false);
        }
        let sick = machine.running.get("what it runs")?.as_ref().is_some_and(|c| self.sick.contains(c));
        Ok(!sick
            && match *machine.up_at.get("when its service is up")? {
                None => false,
                Some(0) => true,
                Some(at) => self.now >= at + self.inter * self.rise,
            })
    }

    /// Returns a host's servers, by balancer and pool.
    pub fn servers_of(&mut self, host: &Host) -> impl Iterator<Item = &mut PoolServer> {
        self.servers.iter_mut().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name).map(|(_, server)| server)
    }

    /// Returns those of a host's servers that the current drain or ready changes.
    pub fn moved_servers_of(&mut self, host: &Host) -> impl Iterator<Item = &mut PoolServer> {
        let only = self.only_in.get(&host.name).cloned();
        let moves = move |at: &(Name, Name, Name, Name)| {
            only.as_ref().is_none_or(|only| only.contains(&format!("{}/{}", at.1, at.2)))
        };
        let mine = self.servers.iter_mut().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
        mine.filter(move |(at, _)| moves(at)).map(|(_, server)| server)
    }

    /// Records what users would notice when the release that a host serves is changed.
    pub fn harms(&mut self, host: &Host, change: &str) {
        if self.fleets[&host.fleet].deploy_live {
            return;
        }
        let now = self.now;
        let open: u64 = self.servers_of(host).map(|server| server.open(now).unwrap_or(0)).sum();
        let drained = |server: &PoolServer| matches!(server.admin.get(""), Ok(Admin::Drain));
        let bound = self.servers_of(host).any(|server| server.persistent && drained(server));
        if self.serves(host) {
            self.harmed.push(format!("{change} on {host} while it is live"));
        } else if bound {
            self.harmed.push(format!("{change} on {host} while clients that are bound to it reach it"));
        } else if open > 0 {
            self.harmed.push(format!("{change} on {host} while {open} requests are open"));
        }
    }

    /// Returns whether requests may reach a host.
    pub fn serves(&self, host: &Host) -> bool {
        let mine = self.servers.iter().filter(|(at, _)| at.0 == host.fleet && at.3 == host.name);
        mine.into_iter().any(|(_, server)| !matches!(server.admin.get(""), Ok(Admin::Drain | Admin::Maint)))
    }

    /// Records the lowest number of live servers in each pool.
    pub fn watch(&mut self) {
        let mut live: BTreeMap<(Name, Name, Name), usize> = BTreeMap::new();
        let mut hosts: BTreeMap<(&Name, &Name), &Host> = BTreeMap::new();
        for (name, fleet) in &self.fleets {
            hosts.extend(fleet.hosts.iter().map(|host| ((name, &host.name), host)));
        }
        for ((fleet, balancer, pool, name), server) in &self.servers {
            let up = hosts.get(&(fleet, name)).is_some_and(|h| self.up(h).unwrap_or(false));
            let counts = up && matches!(server.admin.get(""), Ok(Admin::Ready));
            *live.entry((fleet.clone(), balancer.clone(), pool.clone())).or_default() += usize::from(counts);
        }
        for (pool, live) in live {
            let fewest = self.fewest_live.entry(pool).or_insert(usize::MAX);
            *fewest = live.min(*fewest);
        }
    }

    /// Takes a host out, as somebody would without rfab.
    pub fn take_out(&mut self, host: &Host) {
        let now = self.now;
        for server in self.servers_of(host) {
            (server.admin, server.since, server.strange) = (Fact::Told(Admin::Drain), now, true);
        }
        self.watch();
    }

    /// Turns the operator's machines off: the keepers notice that, and the locks are free.
    pub fn hang_up(&mut self) {
        self.states.values_mut().for_each(|state| state.held_by = None);
    }

    /// Restarts a balancer, which forgets all that it was told.
    pub fn forget(&mut self, fleet: &Name, balancer: &Name) {
        *self.epochs.entry((fleet.clone(), balancer.clone())).or_default() += 1;
        for (at, server) in &self.servers {
            let out = at.0 == *fleet && at.1 == *balancer && !matches!(server.admin.get(""), Ok(Admin::Ready));
            let Some(machine) = self.machines.get(&(fleet.clone(), at.3.clone())).filter(|_| out) else { continue };
            let (current, running) = (machine.current.get("").ok(), machine.running.get("").ok());
            let up = machine.up_at.get("").is_ok_and(|up| up.is_some_and(|up| up <= self.now));
            let same = |(current, running): (&Option<Release>, &Option<Commit>)| match (current, running) {
                (Some(current), Some(running)) => current.is_of(running),
                _ => false,
            };
            if !up || !current.zip(running).is_some_and(same) {
                self.exposed.insert(at.3.clone());
            }
        }
        for (at, server) in &mut self.servers {
            if at.0 == *fleet && at.1 == *balancer {
                (server.admin, server.strange) = (Fact::Told(Admin::Ready), false);
            }
        }
    }

    /// Moves to a time, and applies the events that are due by then.
    pub fn come_to(&mut self, now: Time) {
        self.now = now;
        let all = std::mem::take(&mut self.forgets_at);
        let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, ..)| *at <= now);
        self.forgets_at = later;
        for (_, fleet, balancer) in due {
            self.forget(&fleet, &balancer);
        }
        let (due, later): (Vec<_>, Vec<_>) = self.sick_at.drain(..).partition(|(at, _)| *at <= now);
        self.sick_at = later;
        self.sick.extend(due.into_iter().map(|(_, commit)| commit));
    }

    /// Returns the state that two runs must agree on: everything except times.
    pub fn end_state(&self) -> String {
        let mut out = String::new();
        for ((fleet, name), machine) in &self.machines {
            out += &format!("{fleet}/{name} {}", machine.end_state());
            for (at, server) in self.servers.iter().filter(|(at, _)| at.0 == *fleet && at.3 == *name) {
                out += &format!(" {}/{}={:?}", at.1, at.2, server.admin.get("").ok());
            }
            out.push('\n');
        }
        for (fleet, state) in &self.states {
            out += &format!("{fleet} held by {:?}\n", state.held_by);
        }
        if !self.here.changes.is_empty() {
            out += &format!("here changes {:?}\n", self.here.changes);
        }
        out.push_str(&format!("harmed {:?}\n", self.harmed));
        out
    }
}

pub fn key(host: &Host) -> (Name, Name) {
    (host.fleet.clone(), host.name.clone())
}
