//! Plans which fleets and tasks to write, from the facts in the repository.
use super::found::{FoundHost, FoundProject, FoundStage, Tool};
use crate::{fabfile, fleet::WORDS};

/// The names of the fabfile's tasks, except those of the fleets.
const TASKS: [&str; 10] = [
    "deploy",
    "release",
    "rollback",
    "setup",
    "status",
    "proxy_group1",
    "proxy_group2",
    "proxy_flip",
    "proxy_all",
    "hooks",
];

/// A fleet, and the task that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFleet {
    pub stage: FoundStage,
    /// The name of the task's function; `NAME_` if the name is taken.
    pub function: String,
    pub guarded: bool,
    /// Whether its hosts and its balancer are made up.
    pub example: bool,
    /// The number of hosts in the first group; the rest is in the second. It's 0 without groups.
    pub first: usize,
    /// Units by role.
    pub units: Vec<(String, Vec<String>)>,
    pub path: String,
    /// Hosts of an inventory that don't run the app.
    pub strange: Vec<String>,
}

impl PlannedFleet {
    /// Returns the path of the fleet's file from the fabfile's folder.
    pub fn file(&self) -> String {
        format!("fleets/{}.toml", self.stage.name)
    }
}

/// Returns the fleets, with the default one first.
pub fn fleets(found: &FoundProject) -> Vec<PlannedFleet> {
    let known = found.stages.iter().filter(|stage| !stage.hosts.is_empty());
    let mut fleets: Vec<PlannedFleet> = known.map(|stage| planned(found, stage.clone(), false)).collect();
    if fleets.is_empty() {
        fleets = examples(found).map(|stage| planned(found, stage, true)).into();
    }
    fleets.sort_by_key(|fleet| fleet.guarded);
    for at in 1..fleets.len() {
        let (before, rest) = fleets.split_at_mut(at);
        if before.iter().any(|fleet| fleet.function == rest[0].function) {
            rest[0].function += &format!("_{}", at + 1);
        }
    }
    fleets
}

fn planned(found: &FoundProject, mut stage: FoundStage, example: bool) -> PlannedFleet {
    for host in &mut stage.hosts {
        host.roles.retain(|role| !WORDS.contains(&role.as_str()) && role != "group1" && role != "group2");
    }
    // Within a fleet, a name can't be both a host and a role.
    let names: Vec<String> = stage.hosts.iter().map(|host| host.name.clone()).collect();
    for role in stage.hosts.iter_mut().flat_map(|host| &mut host.roles).filter(|role| names.contains(role)) {
        role.push_str("-role");
    }
    if stage.hosts.iter().all(|host| host.roles.is_empty()) {
        stage.hosts.iter_mut().for_each(|host| host.roles.push("web".to_owned()));
    }
    let web = served(&stage);
    let units = units(found, &stage, &web);
    // An inventory lists all machines, even those that the app isn't deployed to.
    let own = |host: &FoundHost| host.roles.iter().any(|role| *role == web || units.iter().any(|(of, _)| of == role));
    let inventory = found.tool.as_ref().is_some_and(|(tool, _)| *tool == Tool::Ansible);
    let (hosts, strange) = stage.hosts.into_iter().partition(|host| !inventory || own(host));
    stage.hosts = hosts;
    // Hosts that take requests come first, so that each half of them is a group.
    stage.hosts.sort_by_key(|host| !host.roles.contains(&web));
    let serving = stage.hosts.iter().filter(|host| host.roles.contains(&web)).count();
    let path = stage.path.clone().or(found.path.clone()).unwrap_or_else(|| format!("/srv/{}", found.app));
    PlannedFleet {
        function: function(&stage),
        guarded: ["production", "prod", "live"].contains(&stage.name.as_str()),
        example: example && serving > 1,
        first: if serving > 1 { serving / 2 } else { 0 },
        units,
        path,
        strange: Vec::into_iter(strange).map(|host| host.name).collect(),
        stage,
    }
}

/// Returns two fleets with made-up hosts.
fn examples(found: &FoundProject) -> [FoundStage; 2] {
    let others: Vec<String> = found.processes.iter().filter(|name| *name != "web").cloned().collect();
    let host = |name: String, roles: Vec<String>| FoundHost { name, roles, address: None };
    let stage = |name: &str, count: usize, suffix: &str| {
        let mut hosts: Vec<FoundHost> =
            (1..=count).map(|n| host(format!("web{n}{suffix}"), vec!["web".to_owned()])).collect();
        if !others.is_empty() {
            hosts.push(host(format!("jobs1{suffix}"), others.clone()));
        }
        FoundStage { name: name.to_owned(), user: Some("deploy".to_owned()), path: None, hosts }
    };
    [stage("testing1", 1, ".testing1.example.org"), stage("prod", 4, ".example.org")]
}

/// Returns the role of the hosts that take requests.
pub(super) fn served(stage: &FoundStage) -> String {
    let has = |role: &str| stage.hosts.iter().any(|host| host.roles.iter().any(|r| r == role));
    let known =
        ["web", "app", "webservers", "web_servers", "www"].into_iter().find(|role| has(role)).map(str::to_owned);
    known
        .or_else(|| stage.hosts.iter().find_map(|host| host.roles.first().cloned()))
        .unwrap_or_else(|| "web".to_owned())
}

/// Returns units by role: those with unit files, otherwise one for each process, otherwise one.
fn units(found: &FoundProject, stage: &FoundStage, web: &str) -> Vec<(String, Vec<String>)> {
    let has = |role: &str| stage.hosts.iter().any(|host| host.roles.iter().any(|r| r == role));
    let main = if has("app") { "app" } else { web };
    let of_processes = || {
        found.processes.iter().map(|process| match process.as_str() {
            "web" => (found.app.clone(), "web"),
            process => (format!("{}-{process}", found.app), process),
        })
    };
    let named: Vec<(String, &str)> = match (found.units.is_empty(), found.processes.is_empty()) {
        (false, _) => {
            found.units.iter().map(|unit| (unit.clone(), unit.rsplit(['-', '_']).next().unwrap_or(unit))).collect()
        }
        (true, false) => of_processes().collect(),
        (true, true) => vec![(found.app.clone(), "web")],
    };
    let mut units: Vec<(String, Vec<String>)> = Vec::new();
    for (unit, role) in named {
        let role = if role != "web" && has(role) { role } else { main };
        match units.iter_mut().find(|(known, _)| known == role) {
            Some((_, units)) => units.push(unit),
            None => units.push((role.to_owned(), vec![unit])),
        }
    }
    units
}

/// Returns a name for the fleet's function that nothing else in the fleet has.
fn function(stage: &FoundStage) -> String {
    let mut name: String =
        stage.name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let taken = |name: &str| {
        let of_hosts = stage.hosts.iter().any(|host| host.name == name || host.roles.iter().any(|role| role == name));
        TASKS.contains(&name) || WORDS.contains(&name) || of_hosts || ["group1", "group2"].contains(&name)
    };
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || taken(&name) {
        name = format!("fleet_{name}");
    }
    if fabfile::is_taken(&name) { name + "_" } else { name }
}
