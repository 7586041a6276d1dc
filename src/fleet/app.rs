//! The `[app]` of a fleet: what is deployed, its services, and how a host proves that it serves.
use super::{
    App, Folders, Service, TagPattern, TreeRules, Verb, health,
    hosts::FleetNames,
    schema,
    section::{Section, expected},
    tree::{Node, NodeValue},
    value,
    version_file::why_no_path,
    wrong::Problem,
};
use crate::{
    command::Command,
    control::shown,
    host::{Host, Name},
};
use std::{collections::BTreeMap, path::Path, time::Duration};

pub(super) const KEYS: [&str; 13] = schema::names(&schema::APP);
const SERVICE: [&str; 12] = schema::names(&schema::SERVICE);

/// Reads an app except its `roles`: their default differs between a fleet with one app and a fleet with several.
pub(super) fn read(
    node: &Node,
    name: &Name,
    folders: Folders<'_>,
    names: &FleetNames,
    problems: &mut Vec<Problem>,
) -> Option<App> {
    let project = folders.project;
    let section = Section::of(node, &KEYS, problems)?;
    let repository = section.get("repository", problems, |node| repository(node, project));
    let tags = section.get("tags", problems, tags);
    let tree = section.get("tree", problems, tree);
    let export_subst = section.get("export_subst", problems, value::yes).unwrap_or_default();
    let path = section.need("path", problems, path);
    let user = section.get("user", problems, value::user);
    let keep = section.get("keep", problems, |node| value::whole(node, 1)).unwrap_or(5);
    let linked = section.get("linked", problems, below).unwrap_or_default();
    let assets = section.get("assets", problems, below).unwrap_or_default();
    let service = section.find("service").and_then(|node| service(node, names, problems));
    let health = section.find("health").and_then(|node| health::read(node, folders.fleet, problems));
    Some(App {
        name: name.clone(),
        roles: Vec::new(),
        repository: repository.unwrap_or_else(|| project.display().to_string()),
        tags,
        path: path?.to_owned(),
        user,
        keep: keep as usize,
        rules: TreeRules { tree, linked, export_subst },
        assets,
        service,
        health,
    })
}

/// Reads a folder, which starts from the fabfile's and is made absolute, or a URL that git can read.
fn repository(node: &Node, project: &Path) -> Result<String, Problem> {
    let text = value::text(node)?;
    let wrong = |label: &str| {
        Err(Problem::new(format!("`{text}` isn't a repository"), node.place(label))
            .help("write a folder, or a URL such as `https://example.org/shop.git` or `git@example.org:shop.git`"))
    };
    if text.starts_with('-') {
        return wrong("git would read this as an option");
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let login = rest.split('/').next().and_then(|place| place.rsplit_once('@')).map_or("", |(login, _)| login);
        if login.contains(':') {
            return Err(Problem::new("the URL has a password in it", node.place("a fleet file can't contain secrets"))
                .help("leave it out and let git ask your credential helper"));
        }
        return match scheme {
            "https" | "http" | "ssh" | "git" | "file" if !rest.is_empty() && !rest.starts_with('-') => {
                Ok(text.to_owned())
            }
            _ => wrong("https, http, ssh, git or file"),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.starts_with(':') => wrong("a transport that runs a program"),
        Some((host, rest)) if !host.contains('/') => {
            let (user, host) = host.split_once('@').map_or((None, host), |(user, host)| (Some(user), host));
            if value::is_name(host) && user.is_none_or(value::is_user) && !rest.is_empty() {
                Ok(text.to_owned())
            } else {
                wrong("neither a folder nor a URL")
            }
        }
        _ => match std::path::absolute(project.join(text)) {
            Ok(folder) => Ok(folder.display().to_string()),
            Err(error) => wrong(&error.to_string()),
        },
    }
}

/// Reads a folder of the repository.
fn tree(node: &Node) -> Result<String, Problem> {
    let path = value::text(node)?;
    why_no_path(path).map_or(Ok(path.to_owned()), |why| {
        Err(Problem::new(format!("`{}` {why}", shown(path)), node.place("not a folder of the repository"))
            .help("write it relative to the top of the repository, without a `/` at the end, such as `services/web`"))
    })
}

/// Reads a pattern of tags.
fn tags(node: &Node) -> Result<TagPattern, Problem> {
    let text = value::text(node)?;
    TagPattern::of(text).map_err(|why| {
        Problem::new(format!("`{}` isn't a pattern of tags: {why}", shown(text)), node.place("not a pattern"))
            .help("write a tag's name with a `*` in place of the version, such as `shop-v*`")
    })
}

/// Reads the app's folder on a host; `{name}` stands for the host's name.
fn path(node: &Node) -> Result<&str, Problem> {
    let path = value::path(node)?;
    value::filled_in(node, path, &[("name", "web1")]).map(|_| path)
}

/// Reads paths inside the release, none of which is inside another.
fn below(node: &Node) -> Result<Vec<String>, Problem> {
    let one = |node: &Node| {
        let path = value::text(node)?;
        let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if plain && path.split('/').next() != Some(".rfab") {
            return Ok(path.to_owned());
        }
        Err(Problem::new(format!("`{path}` can't be linked"), node.place("not a path below the release"))
            .help("write it relative to the release's folder, such as `public/uploads`"))
    };
    let paths = value::list(node, "a list of paths", one)?;
    let NodeValue::List(items) = &node.value else {
        return Ok(paths);
    };
    for (item, inner) in items.iter().zip(&paths) {
        if let Some(outer) = paths.iter().find(|outer| inner.starts_with(&format!("{outer}/"))) {
            let message = format!("`{inner}` is already linked, because it's within `{outer}`");
            return Err(Problem::new(message, item.place("within another")).help(format!("take out `{inner}`")));
        }
    }
    Ok(paths)
}

fn service(node: &Node, names: &FleetNames, problems: &mut Vec<Problem>) -> Option<Service> {
    let section = Section::of(node, &SERVICE, problems)?;
    if section.find("units").is_none() {
        problems.push(section.lacks("units"));
    }
    let units = section.find("units").and_then(|node| units(node, names, problems));
    let mut given = |key: &str, default: &str, placeholders: &[&str]| {
        section.get(key, problems, |node| verb(node, placeholders)).unwrap_or_else(|| Verb::Sudo(default.to_owned()))
    };
    let (restart, start) =
        (given("restart", "systemctl restart {unit}", &["unit"]), given("start", "systemctl start {unit}", &["unit"]));
    let (stop, status) =
        (given("stop", "systemctl stop {unit}", &["unit"]), given("status", "systemctl status {unit}", &["unit"]));
    let logs = given("logs", "journalctl -u {unit} -n {lines} --no-pager", &["unit", "lines"]);
    let follow = given("follow", "journalctl -u {unit} -n 20 -f --no-pager", &["unit"]);
    let quiet = section.get("quiet", problems, |node| verb(node, &["unit"]));
    let idle = section.get("idle", problems, |node| verb(node, &["unit"]));
    if let (Some(node), None) = (section.find("quiet"), section.find("idle")) {
        problems.push(
            Problem::new(
                "`quiet` without `idle`: rfab couldn't tell when the unit is done",
                node.place("needs `idle`"),
            )
            .help("write `idle`, a command that ends with 0 once the unit has no work left"),
        );
    }
    let quiet_within = section.get("quiet_within", problems, value::wait).unwrap_or(Duration::from_secs(600));
    let install = section.get("install", problems, |node| verb(node, &["version"]));
    let installed = section.get("installed", problems, |node| verb(node, &[]));
    let units = units?;
    Some(Service { units, restart, start, stop, status, logs, follow, quiet, idle, quiet_within, install, installed })
}

fn units(node: &Node, names: &FleetNames, problems: &mut Vec<Problem>) -> Option<BTreeMap<Name, Vec<Name>>> {
    let section = Section::any(node, problems)?;
    let mut units = BTreeMap::new();
    for entry in section.entries() {
        if let Err(problem) = names.role(&entry.key, entry.place("no host has it")) {
            problems.push(problem);
            continue;
        }
        let read =
            value::list(&entry.node, "a list of units", unit).and_then(|units| value::filled(&entry.node, units));
        match read {
            Ok(read) => drop(units.insert(Name::from(entry.key.as_str()), read)),
            Err(problem) => problems.push(problem),
        }
    }
    Some(units)
}

/// Reads the name of a systemd unit.
fn unit(node: &Node) -> Result<Name, Problem> {
    let text = value::text(node)?;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@-\\".contains(&b));
    if plain && !text.starts_with('-') && text.len() <= 255 {
        Ok(Name::from(text))
    } else {
        Err(Problem::new(format!("`{text}` isn't a unit"), node.place("not a unit"))
            .help("a unit's name consists of letters, digits and `._:@-`, such as `shop` or `shop@1.service`"))
    }
}

/// Reads a command: a text runs by sudo, a list of words runs as it is.
fn verb(node: &Node, placeholders: &[&str]) -> Result<Verb, Problem> {
    let samples: Vec<(String, String)> = placeholders.iter().map(|name| (name.to_string(), "1".to_owned())).collect();
    let wrong = |node: &Node, error: crate::command::CommandError| {
        let known = placeholders.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(" and ");
        Problem::new(error.to_string(), node.place("not a command")).help(format!("it can contain {known}"))
    };
    match &node.value {
        NodeValue::Text(text) => {
            Command::words(text, &samples).map_err(|error| wrong(node, error))?;
            Ok(Verb::Sudo(text.clone()))
        }
        NodeValue::List(items) => {
            let mut words = Vec::with_capacity(items.len());
            for item in items {
                let word = value::text(item)?;
                // Without placeholders, `${Version}` belongs to the command itself.
                if placeholders.is_empty() {
                    words.push(word.to_owned());
                    continue;
                }
                // In double quotes, a text with its placeholders is one word.
                let quoted = format!("\"{}\"", word.replace('\\', r"\\").replace('"', "\\\""));
                Command::words(&quoted, &samples).map_err(|error| wrong(item, error))?;
                words.push(word.to_owned());
            }
            Ok(Verb::Plain(value::filled(node, words)?))
        }
        _ => Err(expected("a string or a list of words", node)
            .help("a string such as \"systemctl restart {unit}\" runs with sudo, a list of words without it")),
    }
}

impl App {
    /// Returns whether a host gets the app.
    pub fn is_on(&self, host: &Host) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|role| host.roles.contains(role))
    }

    /// Returns the app's folder on a host.
    pub fn path_on(&self, host: &Host) -> String {
        self.path.replace("{name}", &host.name)
    }
}

impl Service {
    /// Lists a host's units by its roles, in the fleet file's order of roles.
    pub fn units_of(&self, host: &Host) -> Vec<Name> {
        let mut units: Vec<Name> = Vec::new();
        for (_, of_role) in self.units.iter().filter(|(role, _)| host.roles.contains(role)) {
            units.extend(of_role.iter().filter(|unit| !units.contains(unit)).cloned().collect::<Vec<_>>());
        }
        units
    }
}
