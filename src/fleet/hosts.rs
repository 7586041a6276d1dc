//! The `[hosts]` of a fleet, and the names that hosts, groups and roles share.
use super::{
    location::Location,
    placeholder, range, schema,
    section::Section,
    tree::{KeyValue, Node},
    value,
    wrong::Problem,
};
use crate::{
    host::{Host, Name},
    misspelled::{did_you_mean, slips},
};
use std::collections::{BTreeMap, HashMap};

/// The words of a selection that can't be the name of a host, group or role.
pub const WORDS: [&str; 3] = ["all", "live", "out"];

const KEYS: [&str; 3] = schema::names(&schema::HOST);

/// What a name of a fleet stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Host,
    Group,
    Role,
    /// `all`, `live` or `out`.
    Word,
}

impl NameKind {
    fn shown(self) -> &'static str {
        match self {
            NameKind::Host => "a host",
            NameKind::Group => "a group",
            NameKind::Role => "a role",
            NameKind::Word => "a word of selections",
        }
    }
}

/// The names of a fleet in the order of the file, each with the place that names it first.
#[derive(Default)]
pub(super) struct FleetNames {
    order: Vec<Name>,
    known: HashMap<Name, (NameKind, Location)>,
}

impl FleetNames {
    /// Adds a name, or fails if something else already has it.
    fn take(&mut self, name: &Name, named: NameKind, place: Location) -> Result<(), Problem> {
        if WORDS.contains(&&**name) {
            return Err(Problem::new(format!("selections reserve the word `{name}`"), place).help(format!(
                "name {} otherwise than {}",
                named.shown(),
                super::section::listed(&WORDS)
            )));
        }
        match self.known.get(name) {
            None => {
                self.order.push(name.clone());
                self.known.insert(name.clone(), (named, place));
                Ok(())
            }
            Some((NameKind::Host, first)) if named == NameKind::Host => {
                Err(Problem::new(format!("host `{name}` appears twice"), Location { label: "again".into(), ..place })
                    .and(Location { label: "first".into(), ..first.clone() }))
            }
            Some((had, _)) if *had == named => Ok(()),
            Some((had, first)) => {
                let message = format!("`{name}` is {} and {}", had.shown(), named.shown());
                let here = Location { label: format!("{} here", named.shown()), ..place };
                let there = Location { label: format!("{} here", had.shown()), ..first.clone() };
                Err(Problem::new(message, here).and(there).help("give each its own name"))
            }
        }
    }

    fn of(&self, wanted: impl Fn(NameKind) -> bool) -> impl Iterator<Item = &str> {
        self.order.iter().filter(move |name| wanted(self.known[*name].0)).map(|name| &**name)
    }

    /// Refuses a name that isn't a role of any host.
    pub(super) fn role(&self, name: &str, place: Location) -> Result<(), Problem> {
        match self.known.get(name) {
            Some((NameKind::Role, _)) => Ok(()),
            Some((other, _)) => Err(Problem::new(format!("`{name}` is {}, not a role", other.shown()), place)),
            None => Err(Problem::new(format!("no host has the role `{name}`"), place)
                .perhaps(did_you_mean(name, self.of(|named| named == NameKind::Role)))),
        }
    }

    /// Refuses a name that is neither a group nor a role.
    pub(super) fn group_or_role(&self, name: &str, place: Location) -> Result<(), Problem> {
        match self.known.get(name) {
            Some((NameKind::Group | NameKind::Role, _)) => Ok(()),
            Some((other, _)) => {
                Err(Problem::new(format!("`{name}` is {}, not a group or a role", other.shown()), place))
            }
            None => Err(Problem::new(format!("there is no group or role `{name}`"), place)
                .perhaps(did_you_mean(name, self.of(|named| named != NameKind::Host)))),
        }
    }
}

/// Reads the hosts in the file's order, with ranges unrolled.
pub(super) fn read(node: &Node, fleet: &Name, problems: &mut Vec<Problem>) -> (Vec<Host>, FleetNames) {
    let (mut hosts, mut names) = (Vec::new(), FleetNames::default());
    let Some(section) = Section::any(node, problems) else {
        return (hosts, names);
    };
    if section.entries().is_empty() {
        problems.push(Problem::new("the fleet has no hosts", node.place("nothing in it")).help("add `web1 = {}`"));
    }
    let mut addresses: HashMap<String, (Name, Location)> = HashMap::new();
    for entry in section.entries() {
        let unrolled = match unrolled(entry) {
            Ok(unrolled) => unrolled,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if hosts.len() + unrolled.len() > range::MOST {
            let message = format!("the fleet has more than {} hosts", range::MOST);
            problems.push(Problem::new(message, entry.place("one too many here")));
            break;
        }
        let Some(pattern) = one(entry, unrolled.len(), fleet, &mut names, problems) else {
            continue;
        };
        for name in unrolled {
            let name = Name::from(name);
            if let Err(problem) = names.take(&name, NameKind::Host, entry.place("a host here")) {
                problems.push(problem);
                break;
            }
            let host = Host { name: name.clone(), ..pattern.clone() };
            let host = match addressed(host, entry) {
                Ok(host) => host,
                Err(problem) => {
                    problems.push(problem);
                    break;
                }
            };
            if let Some((other, place)) = addresses.get(host.address()) {
                let message = format!("`{name}` and `{other}` are the same machine, `{}`", host.address());
                problems.push(Problem::new(message, entry.place("again")).and(place.clone()));
                break;
            }
            addresses.insert(host.address().to_owned(), (name, entry.place("first")));
            hosts.push(host);
        }
    }
    (hosts, names)
}

fn unrolled(entry: &KeyValue) -> Result<Vec<String>, Problem> {
    let unrolled = range::unroll(&entry.key)
        .map_err(|error| Problem::new(error.to_string(), entry.place("not a host name")).help(error.help()))?;
    if let Some((name, port)) = unrolled.iter().find_map(|name| Some((name, value::port_in(name)?))) {
        return Err(value::with_port(name, port, entry.place("has a port in it")));
    }
    match unrolled.iter().find(|name| !value::is_name(name)) {
        None => Ok(unrolled),
        Some(name) => Err(Problem::new(format!("`{name}` isn't a host name"), entry.place("not a host name"))
            .help(value::why_no_name(name))),
    }
}

/// Reads the settings of one host, or of the `count` hosts of a range. The caller sets the name.
fn one(
    entry: &KeyValue,
    count: usize,
    fleet: &Name,
    names: &mut FleetNames,
    problems: &mut Vec<Problem>,
) -> Option<Host> {
    let section = Section::any(&entry.node, problems)?;
    let group = section.get("group", problems, value::name);
    let roles = section.get("roles", problems, |node| value::list(node, "a list of roles", value::name));
    let roles = roles.unwrap_or_default();
    let mut address = section.get("address", problems, address);
    if let (Some(node), true) = (section.find("address"), count > 1 && !is_pattern(address.as_deref())) {
        address = None;
        let message = format!("{count} hosts can't share one address");
        problems
            .push(Problem::new(message, node.place("this is a range")).help(
                "write the number of each as `{n}`, such as `address = \"10.0.0.{n}\"`, or put the domain into the name: `\"web[1..9].example.org\"`",
            ));
    }
    if let (Some(group), Some(node)) = (&group, section.find("group")) {
        problems.extend(names.take(group, NameKind::Group, node.place("a group here")).err());
    }
    for (i, role) in roles.iter().enumerate() {
        let place = section.find("roles").map(|node| role_place(node, i));
        problems.extend(place.and_then(|place| names.take(role, NameKind::Role, place).err()));
    }
    Some(Host { fleet: fleet.clone(), name: Name::from(""), address, group, roles, vars: vars(&section, problems) })
}

fn is_pattern(address: Option<&str>) -> bool {
    address.is_some_and(|address| address.contains('{'))
}

/// Reads an address, or a pattern, which is checked after it's filled.
fn address(node: &Node) -> Result<Name, Problem> {
    match value::text(node) {
        Ok(text) if text.contains('{') => Ok(text.into()),
        _ => value::address(node),
    }
}

/// Returns a host with its own address in place of the pattern.
fn addressed(host: Host, entry: &KeyValue) -> Result<Host, Problem> {
    let Some(pattern) = host.address.as_deref().filter(|address| address.contains('{')) else { return Ok(host) };
    let place = |label: &str| entry.node.inner("address").map_or(entry.place(label), |node| node.place(label));
    let filled = placeholder::filled(pattern, &host).map_err(|placeholder| {
        Problem::new(format!("`{placeholder}` has no value at `{}`", host.name), place("has no value here"))
            .help("write {name}, {n} (the number at its end), or one of the host's own keys")
    })?;
    if let Some(port) = value::port_in(&filled) {
        return Err(value::with_port(&filled, port, place("has a port in it")));
    }
    if value::is_name(&filled) {
        Ok(Host { address: Some(filled.into()), ..host })
    } else {
        Err(Problem::new(format!("`{filled}` isn't an address"), place("not an address"))
            .help(value::why_no_name(&filled)))
    }
}

fn role_place(node: &Node, i: usize) -> Location {
    match &node.value {
        super::tree::NodeValue::List(items) => items[i].place("a role here"),
        _ => node.place("a role here"),
    }
}

/// Gathers the keys that rfab doesn't know. A key that looks like a misspelled known one is refused.
fn vars(section: &Section<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, serde_json::Value> {
    let missing: Vec<&str> = KEYS.into_iter().filter(|key| section.find(key).is_none()).collect();
    let mut vars = BTreeMap::new();
    for entry in section.entries().iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
        // A variable may have any name: only what is all but the key is refused.
        let slip = missing.iter().find(|key| slips(&entry.key, key).is_some_and(|slips| slips <= 1));
        if let Some(key) = slip {
            let message = format!("`{}` would be a variable, but looks like `{key}`", entry.key);
            problems.push(
                Problem::new(message, entry.place("a typo?"))
                    .help(format!("write `{key}`, or give the variable another name")),
            );
        } else if entry.key == "name" {
            problems.push(
                Problem::new("a host has its name already", entry.place("not a variable"))
                    .help("write the name before the `=`, and how to reach it as `address`"),
            );
        } else {
            vars.insert(entry.key.clone(), entry.node.to_json());
        }
    }
    vars
}
