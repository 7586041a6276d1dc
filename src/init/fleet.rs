//! Writes a fleet file.
use super::{
    found::{FoundHost, FoundProject},
    plan::{PlannedFleet, served},
};

const TEMPLATE: &str = include_str!("templates/fleet.toml");

/// The smallest number of hosts that is written as a range.
const RANGE: usize = 3;

/// The text between a key and its comment.
const BEHIND: &str = "   # ";

/// The widest key that is aligned. After a wider one, the comment follows directly.
const WIDEST: usize = 56;

/// Returns a fleet file with all keys. Those that aren't needed are commented out and show their defaults.
pub(super) fn text(found: &FoundProject, fleet: &PlannedFleet) -> String {
    let accept = if fleet.guarded { "[\"stable\", \"tag\"]" } else { "[\"stable\", \"tag\", \"branch\", \"commit\"]" };
    let line = |on: bool, text: String| if on { text } else { format!("# {text}") };
    let linked = list(if found.linked.is_empty() { vec!["config/database.yml", "log"] } else { texts(&found.linked) });
    let user = fleet.stage.user.clone();
    let role = served(&fleet.stage);
    let all_serve = fleet.stage.hosts.iter().all(|host| host.roles.contains(&role));
    // Without a balancer, all hosts are probed.
    let health = fleet.example || found.health.is_some() && all_serve;
    let probe = if fleet.example { "{address}" } else { "localhost" };
    let url = format!("\"http://{probe}:{}{}\"", found.kind.port(), found.health.as_deref().unwrap_or("/health"));
    let units = fleet.units.iter().map(|(role, units)| format!("{} = {}", key(role), list(texts(units))));
    let health_of = |text: &str| line(health, text.to_owned());
    let balancer = TEMPLATE.split_once("@BALANCER@\n").map_or("", |(_, rest)| rest);
    let balancer: String = balancer
        .lines()
        .map(|text| {
            if fleet.example || text.is_empty() || text.starts_with('#') {
                format!("{text}\n")
            } else {
                format!("# {text}\n")
            }
        })
        .collect();
    let head = TEMPLATE.split_once("@BALANCER@\n").map_or(TEMPLATE, |(head, _)| head);
    let text = format!("{head}{balancer}")
        .replace("@NAME@", &fleet.stage.name)
        .replace("@TASK@", fleet.function.trim_end_matches('_'))
        .replace("@APP@", &found.app)
        .replace("@GUARDED@", &line(fleet.guarded, format!("guarded     = {}", fleet.guarded)))
        .replace("@ACCEPT@", &format!("# accept      = {accept}"))
        .replace("@USER@", &line(user.is_some(), format!("user        = \"{}\"", user.as_deref().unwrap_or("deploy"))))
        .replace("@LIVE@", &line(!fleet.example, format!("deploy_live = {}", !fleet.example)))
        .replace("@PATH@", &fleet.path)
        .replace("@KEEP@", &line(found.keep.is_some(), format!("keep       = {}", found.keep.unwrap_or(5))))
        .replace("@LINKED@", &line(!found.linked.is_empty(), format!("linked     = {linked}")))
        .replace("@UNITS@", &format!("{{ {} }}", units.collect::<Vec<_>>().join(", ")))
        .replace("@HEALTH@", &health_of("[app.health]"))
        .replace("@URL@", &health_of(&format!("url     = {url}")))
        .replace("@HOSTS@\n", &hosts(fleet))
        .replace("@POOLS@", &format!("{{ bk_{role} = \"{role}\" }}"))
        .replace("@ORDER@", if fleet.first > 0 { "[\"group1\", \"group2\"]" } else { "[]" });
    aligned(&text)
}

/// Aligns the comments after keys within each paragraph.
fn aligned(text: &str) -> String {
    let split = |line: &'_ str| line.split_once(BEHIND).map(|(key, about)| (key.len(), about.len()));
    let mut whole = String::new();
    for paragraph in text.split_inclusive("\n\n") {
        let width = paragraph.lines().filter_map(split).map(|(key, _)| key).filter(|width| *width <= WIDEST).max();
        for line in paragraph.lines() {
            match line.split_once(BEHIND) {
                Some((key, about)) => whole += &format!("{key:width$}   # {about}\n", width = width.unwrap_or(0)),
                None => whole += &format!("{line}\n"),
            }
        }
    }
    whole
}

/// Returns a line for each host, or for a range of hosts that are alike.
fn hosts(fleet: &PlannedFleet) -> String {
    let role = served(&fleet.stage);
    let group = |at: usize, host: &FoundHost| match fleet.first {
        0 => None,
        _ if !host.roles.contains(&role) => None,
        first => Some(if at < first { "group1" } else { "group2" }),
    };
    let rows: Vec<(String, String)> = fleet
        .stage
        .hosts
        .iter()
        .enumerate()
        .map(|(at, host)| {
            let group = group(at, host).map(|group| format!("group = \"{group}\", ")).unwrap_or_default();
            let address = host.address.as_ref().map(|address| format!(", address = \"{address}\"")).unwrap_or_default();
            (host.name.clone(), format!("{{ {group}roles = {}{address} }}", list(texts(&host.roles))))
        })
        .collect();
    let rows = joined(rows);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    rows.into_iter().map(|(name, about)| format!("{:width$} = {about}\n", format!("\"{name}\""))).collect()
}

/// Joins rows of `web1`, `web2`, `web3` that are alike into one.
fn joined(rows: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    let mut rest = &rows[..];
    while let Some((name, about)) = rest.first() {
        let row = row(rest);
        let (text, count) = match row {
            Some((range, count)) if count >= RANGE => (range, count),
            _ => (name.clone(), 1),
        };
        joined.push((text, about.clone()));
        rest = &rest[count..];
    }
    joined
}

/// Counts the first rows that are alike and numbered consecutively, and returns their range.
fn row(rows: &[(String, String)]) -> Option<(String, usize)> {
    let (name, about) = rows.first()?;
    let (before, digits, after) = numbered(name)?;
    let from: usize = digits.parse().ok()?;
    let is_next = |(at, (name, text)): &(usize, &(String, String))| {
        text == about && *name == format!("{before}{:0width$}{after}", from + at, width = digits.len())
    };
    let count = rows.iter().enumerate().take_while(is_next).count();
    let to = format!("{:0width$}", from + count.max(1) - 1, width = digits.len());
    // Both ends have the same number of digits.
    (to.len() == digits.len()).then(|| (format!("{before}[{digits}..{to}]{after}"), count))
}

/// Builds the request for a URL. After a redirect to another server, it has none of the headers.
fn numbered(name: &str) -> Option<(&str, &str, &str)> {
    let from = name.find(|c: char| c.is_ascii_digit())?;
    let length = name[from..].find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len() - from);
    Some((&name[..from], &name[from..from + length], &name[from + length..]))
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

fn list(texts: Vec<&str>) -> String {
    format!("[{}]", texts.iter().map(|text| format!("\"{}\"", text)).collect::<Vec<_>>().join(", "))
}

/// Returns a key in TOML.
fn key(name: &str) -> String {
    let bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if bare { name.to_owned() } else { format!("\"{name}\"") }
}
