//! What the keys of a fleet mean.
use super::{
    Accept, Fleet, Folders, app, apps, balancers, health, hosts, order,
    section::{Section, TOP, expected},
    set::{self, Set},
    tree::{Node, Value},
    value,
    wrong::Problem,
};
use crate::host::Name;
use std::path::{Path, PathBuf};

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
    let top = Section::of(tree, &TOP, problems)?;
    let guarded = top.get("guarded", problems, value::yes).unwrap_or(false);
    let ssh = top.get("ssh", problems, |node| beside(node, folders.fleet));
    let accept = top.get("accept", problems, accept).unwrap_or_else(|| default_accept(guarded));
    let via = top.get("via", problems, via);
    let user = top.get("user", problems, value::user);
    let deploy_live = top.get("deploy_live", problems, value::yes).unwrap_or(false);
    let state = top.get("state", problems, state).unwrap_or_else(|| "~/.local/state/rfab".to_owned());
    // Who names a command was asked for it before: what it printed stands under `hosts` now.
    let _ = top.get("hosts_from", problems, command);
    if top.find("hosts").is_none() {
        problems.push(top.lacks("hosts").help("name them: `[hosts]`, and below that `web1 = { roles = [\"web\"] }`"));
    }
    let before = problems.len();
    let (hosts, names) = top.find("hosts").map_or_else(Default::default, |node| hosts::read(node, name, problems));
    // What refers to hosts is judged only when they are known.
    if problems.len() > before || hosts.is_empty() {
        return None;
    }
    let (several, one) = match top.find("app") {
        Some(node) if apps::are_several(node) => (Some(node), None),
        one => (None, one),
    };
    let mut app = one.and_then(|node| app::read(node, name, folders, &names, problems));
    if let (Some(app), Some(node)) = (&mut app, one) {
        let roles = apps::written(node, &names, problems).unwrap_or_default();
        app.roles = roles.into_iter().map(|(role, _)| role).collect();
    }
    let before = problems.len();
    let balancers =
        top.find("balancer").map_or_else(Vec::new, |node| balancers::read(node, name, &hosts, &names, problems));
    let in_pool = |host: &crate::host::Host| balancers.iter().any(|balancer| balancer.has(host));
    if problems.len() == before {
        let order = order::read(top.find("roll"), &hosts, &names, in_pool, problems);
        let by_hand = balancers.iter().any(super::Balancer::by_hand);
        problems.extend(one.and_then(|node| nothing_tells(node, app.as_ref(), by_hand)));
        problems.extend(one.and_then(|node| one_url_for_all(node, app.as_ref(), !balancers.is_empty())));
        problems.extend(one.and_then(|node| health::check(node, app.as_ref(), &hosts, &balancers)));
        let (name, folder) = (name.clone(), folders.fleet.to_owned());
        let mut fleet = Fleet {
            name,
            of: None,
            folder,
            guarded,
            ssh,
            accept,
            via,
            user,
            deploy_live,
            state,
            app,
            apps: Vec::new(),
            hosts,
            balancers,
            unasked: Default::default(),
            order,
        };
        if let Some(node) = several {
            let ordered = top.find("roll").is_some_and(|roll| roll.inner("order").is_some());
            fleet.apps = apps::read(node, &fleet, ordered, folders, &names, problems);
            for of in &fleet.apps {
                let node = of.app.as_ref().and_then(|app| node.inner(&app.name));
                let balanced = !of.balancers.is_empty();
                let by_hand = of.balancers.iter().any(super::Balancer::by_hand);
                problems.extend(node.and_then(|node| nothing_tells(node, of.app.as_ref(), by_hand)));
                problems.extend(node.and_then(|node| one_url_for_all(node, of.app.as_ref(), balanced)));
                problems.extend(node.and_then(|node| health::check(node, of.app.as_ref(), &of.hosts, &of.balancers)));
            }
        }
        return Some(fleet);
    }
    None
}

/// Refuses a balancer that is changed by hand where nobody at all would tell whether a host is healthy.
fn nothing_tells(node: &Node, app: Option<&super::App>, by_hand: bool) -> Option<Problem> {
    (by_hand && app.is_some_and(|app| app.health.is_none())).then(|| {
        Problem::new("nothing tells whether a host is healthy", node.place("has no `health`"))
            .help("a balancer that is changed by hand doesn't report it: write `[app.health]` with `url`")
    })
}

/// Refuses a health URL that names no host where it is probed from a balancer's machine: it would prove nothing.
fn one_url_for_all(node: &Node, app: Option<&super::App>, balanced: bool) -> Option<Problem> {
    let url = &app?.health.as_ref()?.url;
    let at = node.inner("health")?.inner("url")?;
    (balanced && !url.contains('{')).then(|| {
        Problem::new("every host would be probed at one URL", at.place("names no host"))
            .help("add `{address}`: rfab probes from the balancer's machine")
    })
}

fn default_accept(guarded: bool) -> Vec<Accept> {
    match guarded {
        true => vec![Accept::Stable, Accept::Tag],
        false => vec![Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit, Accept::Archive],
    }
}

fn accept(node: &Node) -> Result<Vec<Accept>, Problem> {
    let words = [
        ("stable", Accept::Stable),
        ("tag", Accept::Tag),
        ("branch", Accept::Branch),
        ("commit", Accept::Commit),
        ("archive", Accept::Archive),
    ];
    let expected = "a list of `stable`, `tag`, `branch`, `commit` and `archive`";
    let accept = value::list(node, expected, |item| value::one_of(item, &words))?;
    value::filled(node, accept)
}

/// A file from the fleet's folder on, which must be there: ssh passes over a missing one in silence.
fn beside(node: &Node, folder: &Path) -> Result<PathBuf, Problem> {
    let text = value::text(node)?;
    let file = std::path::absolute(folder.join(text)).unwrap_or_else(|_| folder.join(text));
    match file.is_file() {
        true => Ok(file),
        false => Err(Problem::new(format!("there is no file `{text}` beside the fleet"), node.place("not a file"))
            .help("write its path from the fleet file's folder on")),
    }
}

/// Jump hosts as ssh takes them: `[USER@]HOST[:PORT]`, several with commas.
fn via(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    match text.split(',').find(|hop| !is_hop(hop)) {
        None => Ok(text.to_owned()),
        Some(hop) => Err(Problem::new(format!("`{hop}` isn't a jump host"), node.place("not a jump host"))
            .help("write it as `bastion.example.org`, or `anna@bastion.example.org:2222`")),
    }
}

fn is_hop(hop: &str) -> bool {
    let (user, place) = hop.split_once('@').map_or((None, hop), |(user, place)| (Some(user), place));
    let v6 = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let (host_is_good, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (v6(host), None),
        Some((host, rest)) => (v6(host), Some(rest.strip_prefix(':').unwrap_or(""))),
        None => match place.split_once(':') {
            Some((host, port)) => (value::is_name(host), Some(port)),
            None => (value::is_name(place), None),
        },
    };
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0);
    host_is_good && user.is_none_or(value::is_user) && port.is_none_or(is_port)
}

/// A program and its arguments; no shell reads them.
pub(super) fn command(node: &Node) -> Result<Vec<String>, Problem> {
    let Value::List(items) = &node.value else {
        let help = "write a program and its arguments, such as `[\"bin/hosts\", \"prod\"]`";
        return Err(expected("a list of words", node).help(help));
    };
    let words = items.iter().map(|item| value::text(item).map(str::to_owned)).collect::<Result<_, _>>()?;
    value::filled(node, words)
}

/// A folder on the hosts; `~/` is the login user's.
fn state(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    let below_home = text.strip_prefix("~/").map(|rest| rest.trim_end_matches('/'));
    match below_home {
        Some(rest) if rest.split('/').all(|part| !matches!(part, "" | "." | "..")) => Ok(format!("~/{rest}")),
        Some(_) => Err(Problem::new(format!("`{text}` isn't a folder below `~`"), node.place("write it out"))),
        None if text.starts_with('~') => {
            Err(Problem::new(format!("`{text}` is somebody's home"), node.place("`~/…`, or from `/` on")))
        }
        None => value::path(node).map(str::to_owned),
    }
}
