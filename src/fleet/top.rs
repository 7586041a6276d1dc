//! The values of keys at the top of a fleet.
use super::{
    Accept, TransportKind,
    section::expected,
    tree::{Node, NodeValue},
    value,
    wrong::Problem,
};
use std::path::{Path, PathBuf};

/// Returns what a fleet accepts by default.
pub(super) fn default_accept(guarded: bool) -> Vec<Accept> {
    if guarded {
        vec![Accept::Stable, Accept::Tag]
    } else {
        vec![Accept::Stable, Accept::Tag, Accept::Branch, Accept::Commit, Accept::Archive]
    }
}

/// Reads what reaches the hosts.
pub(super) fn transport(node: &Node) -> Result<TransportKind, Problem> {
    value::one_of(node, &TransportKind::ALL.map(|kind| (kind.word(), kind)))
}

/// Reads the kinds of reference that may be deployed.
pub(super) fn accept(node: &Node) -> Result<Vec<Accept>, Problem> {
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

/// Reads a path that starts from the fleet's folder. The file must exist, because ssh ignores a missing one silently.
pub(super) fn beside(node: &Node, folder: &Path) -> Result<PathBuf, Problem> {
    let text = value::text(node)?;
    let file = std::path::absolute(folder.join(text)).unwrap_or_else(|_| folder.join(text));
    if file.is_file() {
        Ok(file)
    } else {
        Err(Problem::new(format!("there is no file `{text}` beside the fleet"), node.place("not a file"))
            .help("write its path relative to the fleet file's folder"))
    }
}

/// Reads jump hosts as ssh takes them: `[USER@]HOST[:PORT]`, separated by commas.
pub(super) fn via(node: &Node) -> Result<String, Problem> {
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

/// Reads a program and its arguments; they don't go through a shell.
pub(super) fn command(node: &Node) -> Result<Vec<String>, Problem> {
    let NodeValue::List(items) = &node.value else {
        let help = "write a program and its arguments, such as `[\"bin/hosts\", \"prod\"]`";
        return Err(expected("a list of words", node).help(help));
    };
    let words = items.iter().map(|item| value::text(item).map(str::to_owned)).collect::<Result<_, _>>()?;
    value::filled(node, words)
}

/// Reads a folder on the hosts; `~/` is the login user's home.
pub(super) fn state(node: &Node) -> Result<String, Problem> {
    let text = value::text(node)?;
    let below_home = text.strip_prefix("~/").map(|rest| rest.trim_end_matches('/'));
    match below_home {
        Some(rest) if rest.split('/').all(|part| !matches!(part, "" | "." | "..")) => Ok(format!("~/{rest}")),
        Some(_) => Err(Problem::new(format!("`{text}` isn't a folder below `~`"), node.place("write it out"))),
        None if text.starts_with('~') => {
            Err(Problem::new(format!("`{text}` is in a named user's home"), node.place("`~/…`, or an absolute path")))
        }
        None => value::path(node).map(str::to_owned),
    }
}
