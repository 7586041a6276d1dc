//! What the keys of a fleet mean.
use super::{
    App, Balancer, Fleet, Folders, TransportKind, app, apps, balancers, gate, health, hosts, order,
    section::{Section, TOP},
    set::{self, Set},
    settings::ten_minutes,
    top,
    tree::Node,
    value,
    wrong::Problem,
};
use crate::host::{Host, Name};
use std::{path::PathBuf, time::Duration};

pub(super) fn fleet(name: &str, mut tree: Node, folders: Folders<'_>, sets: &[Set]) -> Result<Fleet, Vec<Problem>> {
    let mut problems: Vec<Problem> = sets.iter().filter_map(|set| set::apply(&mut tree, set).err()).collect();
    if !value::is_name(name) {
        problems.push(Problem::bare(format!("`{name}` isn't a fleet's name")).help(value::why_no_name(name)));
    }
    match whole(&Name::from(name), &tree, folders, &mut problems) {
        Some(fleet) if problems.is_empty() => Ok(fleet),
        _ => Err(problems),
    }
}

fn whole(name: &Name, tree: &Node, folders: Folders<'_>, problems: &mut Vec<Problem>) -> Option<Fleet> {
    let keys = Section::of(tree, &TOP, problems)?;
    let guarded = keys.get("guarded", problems, value::yes).unwrap_or(false);
    let (ssh, persist, transport) = reach(&keys, folders, problems);
    let accept = keys.get("accept", problems, top::accept).unwrap_or_else(|| top::default_accept(guarded));
    let via = keys.get("via", problems, top::via);
    let user = keys.get("user", problems, value::user);
    let gate = gate::whole(tree, problems);
    let deploy_live = keys.get("deploy_live", problems, value::yes).unwrap_or(false);
    let state = keys.get("state", problems, top::state).unwrap_or_else(|| "~/.local/state/rfab".to_owned());
    // The caller has run the command already, and what it printed is under `hosts`.
    let _ = keys.get("hosts_from", problems, top::command);
    problems.extend(without_hosts(&keys));
    let before = problems.len();
    let (hosts, names) = keys.find("hosts").map_or_else(Default::default, |node| hosts::read(node, name, problems));
    // References to hosts are checked only if the hosts are known.
    if problems.len() > before || hosts.is_empty() {
        return None;
    }
    let (several, one) = match keys.find("app") {
        Some(node) if apps::are_several(node) => (Some(node), None),
        one => (None, one),
    };
    let app = one.and_then(|node| only_app(node, name, folders, &names, problems));
    let before = problems.len();
    let balancers =
        keys.find("balancer").map_or_else(Vec::new, |node| balancers::read(node, name, &hosts, &names, problems));
    let in_pool = |host: &Host| balancers.iter().any(|balancer| balancer.has(host));
    if problems.len() > before {
        return None;
    }
    let order = order::read(keys.find("roll"), &hosts, &names, in_pool, problems);
    problems.extend(one.into_iter().flat_map(|node| unproven(node, app.as_ref(), &hosts, &balancers)));
    let mut fleet = Fleet {
        name: name.clone(),
        of: None,
        folder: folders.fleet.to_owned(),
        guarded,
        ssh,
        persist,
        transport,
        accept,
        via,
        user,
        deploy_live,
        state,
        gate,
        app,
        apps: Vec::new(),
        hosts,
        balancers,
        unasked: Default::default(),
        order,
    };
    if let Some(node) = several {
        let ordered = keys.find("roll").is_some_and(|roll| roll.inner("order").is_some());
        fleet.apps = several_apps(node, &fleet, ordered, folders, &names, problems);
    }
    Some(fleet)
}

/// Reads how the hosts are reached: by which ssh configuration, for how long, and by which client.
fn reach(
    keys: &Section<'_>,
    folders: Folders<'_>,
    problems: &mut Vec<Problem>,
) -> (Option<PathBuf>, Duration, TransportKind) {
    let ssh = keys.get("ssh", problems, |node| top::beside(node, folders.fleet));
    let persist = keys.get("persist", problems, value::duration).unwrap_or_else(ten_minutes);
    (ssh, persist, keys.get("transport", problems, top::transport).unwrap_or_default())
}

/// Returns the problem of a fleet without hosts.
fn without_hosts(keys: &Section<'_>) -> Option<Problem> {
    let none = || keys.lacks("hosts").help("name them: `[hosts]`, and below that `web1 = { roles = [\"web\"] }`");
    keys.find("hosts").is_none().then(none)
}

/// Reads the only app of a fleet, with the roles of its hosts.
fn only_app(
    node: &Node,
    name: &Name,
    folders: Folders<'_>,
    names: &hosts::FleetNames,
    problems: &mut Vec<Problem>,
) -> Option<App> {
    let app = app::read(node, name, folders, names, problems)?;
    let roles = apps::written(node, names, problems).unwrap_or_default();
    Some(App { roles: roles.into_iter().map(|(role, _)| role).collect(), ..app })
}

/// Reads the fleets of several apps; `ordered` is whether the file gives the order of `whole`.
fn several_apps(
    node: &Node,
    whole: &Fleet,
    ordered: bool,
    folders: Folders<'_>,
    names: &hosts::FleetNames,
    problems: &mut Vec<Problem>,
) -> Vec<Fleet> {
    let fleets = apps::read(node, whole, ordered, folders, names, problems);
    for of in &fleets {
        let node = of.app.as_ref().and_then(|app| node.inner(&app.name));
        let wrong = |node| unproven(node, of.app.as_ref(), &of.hosts, &of.balancers);
        problems.extend(node.into_iter().flat_map(wrong));
    }
    fleets
}

/// Refuses an app if nothing can tell whether its hosts are healthy, or if the health check proves nothing.
fn unproven(node: &Node, app: Option<&App>, hosts: &[Host], balancers: &[Balancer]) -> impl Iterator<Item = Problem> {
    let by_hand = balancers.iter().any(Balancer::by_hand);
    let silent = nothing_tells(node, app, by_hand);
    let same = one_url_for_all(node, app, !balancers.is_empty());
    silent.into_iter().chain(same).chain(health::check(node, app, hosts, balancers))
}

/// Refuses a balancer that is changed by hand without a health check: nothing could tell whether a host is healthy.
fn nothing_tells(node: &Node, app: Option<&App>, by_hand: bool) -> Option<Problem> {
    (by_hand && app.is_some_and(|app| app.health.is_none())).then(|| {
        Problem::new("rfab can't tell whether a host is healthy", node.place("has no `health`"))
            .help("a balancer that is changed by hand doesn't report it: write `[app.health]` with `url`")
    })
}

/// Refuses a health URL without the host in it if hosts are in a pool: it could prove nothing about one host.
fn one_url_for_all(node: &Node, app: Option<&App>, balanced: bool) -> Option<Problem> {
    let url = &app?.health.as_ref()?.url;
    let at = node.inner("health")?.inner("url")?;
    (balanced && !url.contains('{')).then(|| {
        Problem::new("every host would be probed at the same URL", at.place("names no host"))
            .help("add `{address}`: rfab probes from the balancer's machine")
    })
}
