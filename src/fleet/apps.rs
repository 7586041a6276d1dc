//! Several apps in one fleet. Each app becomes a fleet with the hosts and pools that it's on.
use super::{
    App, Balancer, Fleet, Folders, Gate, app, gate,
    hosts::FleetNames,
    location::Location,
    order,
    section::{Section, expected, listed},
    tree::{KeyValue, Node, NodeValue},
    value,
    wrong::Problem,
};
use crate::{
    failure::{Cause, Failure},
    host::{Host, Name},
    misspelled::did_you_mean,
};

/// An app and its roles, each with the place that names it.
struct One<'t> {
    key: &'t str,
    app: App,
    gate: Option<Gate>,
    path: Option<Location>,
    roles: Vec<(Name, Location)>,
}

/// Returns whether `[app]` holds several apps: it has no `path` itself, but one of its tables has.
pub(super) fn are_several(node: &Node) -> bool {
    let has_path = |node: &Node| node.inner("path").is_some();
    match &node.value {
        NodeValue::Table(entries) => !has_path(node) && entries.iter().any(|entry| has_path(&entry.node)),
        _ => false,
    }
}

/// Reads each app as a fleet. `whole` is the fleet that they share; `ordered` is whether the file gives its order.
pub(super) fn read(
    node: &Node,
    whole: &Fleet,
    ordered: bool,
    folders: Folders<'_>,
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Vec<Fleet> {
    let (before, mut all) = (problems.len(), Vec::new());
    let Some(section) = Section::any(node, problems) else { return Vec::new() };
    for entry in section.entries() {
        all.extend(one(entry, folders, names, problems));
    }
    problems.extend(one_pool(whole, &all).or_else(|| one_folder(whole, &all)).or_else(|| one_gate(whole, &all)));
    if problems.len() > before {
        return Vec::new();
    }
    all.into_iter().map(|one| alone(whole, one, ordered)).collect()
}

fn one<'t>(
    entry: &'t KeyValue,
    folders: Folders<'_>,
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Option<One<'t>> {
    let key = entry.key.as_str();
    if app::KEYS.contains(&key) || !matches!(entry.node.value, NodeValue::Table(_)) {
        let message = format!("there are several apps, and `{key}` doesn't say which one it belongs to");
        problems.push(
            Problem::new(message, entry.place("of which app?")).help("write it in each app's own table: `[app.shop]`"),
        );
        return None;
    }
    if !value::is_name(key) {
        let message = format!("`{key}` isn't an app's name");
        problems.push(Problem::new(message, entry.place("not a name")).help(value::why_no_name(key)));
    }
    let app = app::read(&entry.node, &Name::from(key), folders, names, problems);
    let roles = roles(entry, app.as_ref(), names, problems);
    let path = entry.node.inner("path").map(|node| node.place("here"));
    let gate = entry.node.inner("gate").and_then(|node| gate::read(node, problems));
    Some(One { key, app: app?, gate, path, roles })
}

/// Returns the roles under `roles`, otherwise those that have units.
fn roles(
    entry: &KeyValue,
    app: Option<&App>,
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Vec<(Name, Location)> {
    let Some(roles) = written(&entry.node, names, problems) else {
        let of_units = with_units(&entry.node);
        if of_units.is_empty() && app.is_some() {
            problems.push(
                Problem::new(format!("`{}` doesn't say which hosts it is on", entry.node.path), entry.place("where?"))
                    .help("name their roles: `roles = [\"web\"]`, or its units: `units = { web = [\"shop\"] }`"),
            );
        }
        return of_units;
    };
    roles
}

/// Returns the roles that have units.
fn with_units(app: &Node) -> Vec<(Name, Location)> {
    let units = app.inner("service").and_then(|service| service.inner("units"));
    match units.map(|units| &units.value) {
        Some(NodeValue::Table(roles)) => {
            roles.iter().map(|role| (role.key.as_str().into(), role.place("here"))).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the roles under an app's `roles`, if it has that key. Each role with units must be one of them.
pub(super) fn written(app: &Node, names: &FleetNames, problems: &mut Vec<Problem>) -> Option<Vec<(Name, Location)>> {
    let (node, of_units) = (app.inner("roles")?, with_units(app));
    let NodeValue::List(items) = &node.value else {
        problems.push(expected("a list of roles", node));
        return Some(of_units);
    };
    let mut roles: Vec<(Name, Location)> = Vec::new();
    for item in items {
        let role = value::name(item);
        match role.and_then(|role| names.role(&role, item.place("no host has it")).map(|()| role)) {
            Ok(role) => roles.push((role, item.place("here"))),
            Err(problem) => problems.push(problem),
        }
    }
    if items.is_empty() {
        problems.push(Problem::new("no host would get the app", node.place("nothing in it")));
    }
    if let Some((role, place)) = of_units.iter().find(|(role, _)| !roles.iter().any(|(known, _)| known == role)) {
        let message = format!("role `{role}` has units, but isn't one of the app's roles");
        let (here, there) = (Location { label: "has units".into(), ..place.clone() }, node.place("not among these"));
        problems.push(Problem::new(message, here).and(there).help(format!("add `{role}`, or leave `roles` out")));
    }
    Some(roles)
}

/// Lists all pairs of apps.
fn pairs<'a, 't>(all: &'a [One<'t>]) -> impl Iterator<Item = (&'a One<'t>, &'a One<'t>)> {
    all.iter().enumerate().flat_map(|(at, second)| all[..at].iter().map(move |first| (first, second)))
}

/// Refuses a pool that two apps share: draining a server for one of them would drain it for the other.
fn one_pool(whole: &Fleet, all: &[One<'_>]) -> Option<Problem> {
    let pool = |role: &Name| {
        whole.balancers.iter().flat_map(|b| &b.pools).find(|(_, of)| *of == role).map(|(pool, _)| pool.clone())
    };
    pairs(all).find_map(|(first, second)| {
        second.roles.iter().find_map(|(role, here)| {
            let (_, there) = first.roles.iter().find(|(other, _)| other == role)?;
            let message = format!("pool `{}` belongs to two apps, `{}` and `{}`", pool(role)?, first.key, second.key);
            let label = |app: &str| format!("`{app}` has the pool's role");
            let here = Location { label: label(second.key), ..here.clone() };
            let there = Location { label: label(first.key), ..there.clone() };
            Some(
                Problem::new(message, here).and(there).help(
                    "give each its own role and pool: a server that is out for one app would be out for the other",
                ),
            )
        })
    })
}

/// Refuses two apps that share a folder on one host.
fn one_folder(whole: &Fleet, all: &[One<'_>]) -> Option<Problem> {
    let on = |one: &One<'_>, host: &Host| one.roles.iter().any(|(role, _)| host.roles.contains(role));
    pairs(all).filter(|(first, second)| first.app.path == second.app.path).find_map(|(first, second)| {
        let host = whole.hosts.iter().find(|host| on(first, host) && on(second, host))?;
        let message = format!("`{}` and `{}` share a folder on `{host}`", first.key, second.key);
        Some(Problem::new(message, second.path.clone()?).and(first.path.clone()?).help("give each app its own `path`"))
    })
}

/// Refuses a gate that apps of two repositories share: it asks about one project. An app's own gate is for it alone.
fn one_gate(whole: &Fleet, all: &[One<'_>]) -> Option<Problem> {
    whole.gate.as_ref()?;
    let share = |(first, second): &(&One<'_>, &One<'_>)| {
        first.gate.is_none() && second.gate.is_none() && first.app.repository != second.app.repository
    };
    pairs(all).filter(share).find_map(|(first, second)| {
        let message =
            format!("`[gate]` asks one project, but `{}` and `{}` are in two repositories", first.key, second.key);
        let help = format!("give one of them its own gate: `[app.{}.gate]`", second.key);
        Some(Problem::new(message, second.path.clone()?).and(first.path.clone()?).help(help))
    })
}

/// Returns the fleet of one app, as if there were no others.
fn alone(whole: &Fleet, one: One<'_>, ordered: bool) -> Fleet {
    let name = Name::from(format!("{}.{}", whole.name, one.key));
    let is_ours = |role: &Name| one.roles.iter().any(|(ours, _)| ours == role);
    let ours = whole.hosts.iter().filter(|host| host.roles.iter().any(is_ours));
    let hosts: Vec<Host> = ours.map(|host| Host { fleet: name.clone(), ..host.clone() }).collect();
    let balancer = |balancer: &Balancer| {
        let mut ours = balancer.clone();
        ours.host.fleet = name.clone();
        ours.pools.retain(|_, role| is_ours(role));
        (!ours.pools.is_empty()).then_some(ours)
    };
    let balancers: Vec<Balancer> = whole.balancers.iter().filter_map(balancer).collect();
    let mut fleet = Fleet {
        name: name.clone(),
        of: Some(whole.name.clone()),
        app: Some(one.app),
        gate: one.gate.or_else(|| whole.gate.clone()),
        apps: Vec::new(),
        hosts,
        balancers,
        ..whole.clone()
    };
    fleet.order = if ordered {
        whole.order.iter().filter(|name| fleet.hosts.iter().any(|host| order::is_of(host, name))).cloned().collect()
    } else {
        order::default(&fleet.hosts, |host| fleet.in_pool(host))
    };
    fleet
}

impl Fleet {
    /// Finds the fleet of one of its apps.
    ///
    /// Fails with `Fabfile` if it has no app of that name.
    pub fn of_app(&self, name: &str) -> Result<&Fleet, Failure> {
        if let Some(fleet) = self.apps.iter().find(|fleet| fleet.app_name() == Some(name)) {
            return Ok(fleet);
        }
        let message = format!("fleet `{}` has no app `{name}`", self.name);
        let help = match (self.apps.is_empty(), self.app_name()) {
            (true, None) => "it has no `[app]` at all".to_owned(),
            (true, Some(_)) => "it has one app: leave `.app(…)` out".to_owned(),
            (false, _) => {
                did_you_mean(name, self.app_names()).unwrap_or_else(|| format!("it has {}", self.listed("and")))
            }
        };
        Err(Failure::new(Cause::Fabfile, message).help(help))
    }

    fn app_name(&self) -> Option<&str> {
        self.app.as_ref().map(|app| &*app.name)
    }

    /// Lists the names of its apps, if it has several.
    pub fn app_names(&self) -> impl Iterator<Item = &str> {
        self.apps.iter().filter_map(Fleet::app_name)
    }

    fn listed(&self, word: &str) -> String {
        listed(&self.app_names().collect::<Vec<_>>()).replace(" or ", &format!(" {word} "))
    }

    /// Returns the failure of a step that needs an app, if there are several and none is chosen.
    pub fn unchosen(&self) -> Option<Failure> {
        let first = self.app_names().next()?;
        let message =
            format!("fleet `{}` has several apps, and no task chooses one: {}", self.name, self.listed("and"));
        let help = format!("let a task choose one: `fleet(…).app(\"{first}\")`, and name that task in the line");
        Some(Failure::new(Cause::Fabfile, message).help(help))
    }
}
