//! The values that single keys of a fleet may have.
use super::{
    section::{expected, listed},
    tree::{Node, NodeValue},
    wrong::Problem,
};
use crate::{duration, host::Name, misspelled::did_you_mean};
use std::time::Duration;

/// The longest name, in bytes, as in DNS.
const LONGEST_NAME: usize = 253;
/// The longest wait that a fleet may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn yes(node: &Node) -> Result<bool, Problem> {
    match node.value {
        NodeValue::Bool(yes) => Ok(yes),
        _ => Err(expected("true or false", node)),
    }
}

/// Reads a text that isn't empty and has no control characters.
pub(super) fn text(node: &Node) -> Result<&str, Problem> {
    match &node.value {
        NodeValue::Text(text) if text.is_empty() => Err(Problem::new("the text is empty", node.place("nothing in it"))),
        NodeValue::Text(text) if text.chars().any(char::is_control) => {
            Err(Problem::new("the text has a control character", node.place("here")))
        }
        NodeValue::Text(text) => Ok(text),
        _ => Err(expected("a string", node)),
    }
}

/// Reads a whole number of at least `least`.
pub(super) fn whole(node: &Node, least: u32) -> Result<u32, Problem> {
    match node.value {
        NodeValue::Whole(number) if number < i64::from(least) => {
            let message = format!("`{number}` is too small");
            Err(Problem::new(message, node.place(format!("at least {least}"))))
        }
        NodeValue::Whole(number) => u32::try_from(number)
            .map_err(|_| Problem::new(format!("`{number}` is too large"), node.place(format!("at most {}", u32::MAX)))),
        _ => Err(expected("a whole number", node)),
    }
}

/// Reads a list without duplicates.
pub(super) fn list<'t, T: PartialEq>(
    node: &'t Node,
    what: &str,
    read: impl Fn(&'t Node) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let NodeValue::List(items) = &node.value else {
        return Err(expected(what, node));
    };
    let mut read_items = Vec::with_capacity(items.len());
    for item in items {
        let value = read(item)?;
        if let Some(first) = read_items.iter().position(|earlier| *earlier == value) {
            return Err(
                Problem::new("this is listed twice", item.place("again")).and(items[first].place("first listed"))
            );
        }
        read_items.push(value);
    }
    Ok(read_items)
}

/// Refuses an empty list.
pub(super) fn filled<T>(node: &Node, items: Vec<T>) -> Result<Vec<T>, Problem> {
    if items.is_empty() { Err(Problem::new("the list is empty", node.place("nothing in it"))) } else { Ok(items) }
}

/// Reads one of a few words.
pub(super) fn one_of<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, Problem> {
    let word = text(node)?;
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let help = did_you_mean(word, known.iter().copied()).unwrap_or_else(|| format!("write {}", listed(&known)));
        Problem::new(format!("unknown word `{word}`"), node.place("not known here")).help(help)
    })
}

/// Reads a number and its unit: `500ms`, `60s`, `2m`, `1h`.
pub(super) fn duration(node: &Node) -> Result<Duration, Problem> {
    let NodeValue::Text(text) = &node.value else {
        return Err(expected("a duration", node).help("write it as a string with a unit, such as \"60s\" or \"2m\""));
    };
    let Some(duration) = duration::read(text) else {
        return Err(Problem::new(format!("`{text}` isn't a duration"), node.place("not a duration"))
            .help("write a whole number and `ms`, `s`, `m` or `h`, such as \"60s\" or \"2m\""));
    };
    if duration > LONGEST_WAIT {
        return Err(Problem::new(format!("`{text}` is too long"), node.place("at most 24h")));
    }
    Ok(duration)
}

/// Reads a duration that isn't zero.
pub(super) fn wait(node: &Node) -> Result<Duration, Problem> {
    match duration(node)? {
        Duration::ZERO => Err(Problem::new("a wait of 0s can only fail", node.place("more than 0s"))),
        duration => Ok(duration),
    }
}

/// Returns whether a text can be an address, or the name of a host, group, role, pool or server.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && !text.starts_with('-')
        && text != "."
        && text != ".."
        && text.bytes().all(plain)
}

/// Explains why a text isn't a name.
pub(super) fn why_no_name(text: &str) -> &'static str {
    match text {
        "" => "write at least one character",
        "." | ".." => "write a name other than `.` and `..`",
        _ if text.starts_with('-') => "a name can't start with `-`, because that makes it an option",
        _ if text.len() > LONGEST_NAME => "a name has at most 253 characters",
        _ => "a name consists of letters, digits and `._:-`",
    }
}

pub(super) fn name(node: &Node) -> Result<Name, Problem> {
    let NodeValue::Text(text) = &node.value else {
        return Err(expected("a name", node));
    };
    if is_name(text) {
        Ok(Name::from(text.as_str()))
    } else {
        Err(Problem::new(format!("`{text}` isn't a name"), node.place("not a name")).help(why_no_name(text)))
    }
}

/// Reads the name or address that a machine is reached at, without a port.
pub(super) fn address(node: &Node) -> Result<Name, Problem> {
    let address = name(node)?;
    match port_in(&address) {
        None => Ok(address),
        Some(port) => Err(with_port(&address, port, node.place("has a port in it"))),
    }
}

/// Returns the port after a name or an address. An IPv6 address has none.
pub(super) fn port_in(address: &str) -> Option<&str> {
    let v6 = address.parse::<std::net::Ipv6Addr>().is_ok();
    let port = address.rsplit_once(':').map(|(_, port)| port).filter(|_| !v6)?;
    (!port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())).then_some(port)
}

/// Describes the problem of an address with a port, and names the place that the port belongs in.
pub(super) fn with_port(address: &str, port: &str, place: super::location::Location) -> Problem {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    Problem::new(format!("`{address}` isn't an address"), place).help(format!(
        "write `{host}`. ssh's port belongs in the ssh configuration: `Host {host}` and below it `Port {port}`, in \
         the file \
         that `ssh = \"…\"` at the top names; the app's port belongs in `url` of `[app.health]`"
    ))
}

/// Returns whether a text can be the name of a user: `[a-z_][a-z0-9_.-]*`.
pub fn is_user(text: &str) -> bool {
    let (first, rest) = text.as_bytes().split_first().map_or((b'-', &[][..]), |(first, rest)| (*first, rest));
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(b);
    (first.is_ascii_lowercase() || first == b'_') && rest.iter().all(plain)
}

pub(super) fn user(node: &Node) -> Result<Name, Problem> {
    let text = text(node)?;
    if is_user(text) {
        Ok(Name::from(text))
    } else {
        Err(Problem::new(format!("`{text}` isn't a user"), node.place("not a user"))
            .help("a user starts with `a`–`z` or `_` followed by these, digits, `.` and `-`"))
    }
}

/// Reads a path on a host, which starts with `/` and has no `..`.
pub(super) fn path(node: &Node) -> Result<&str, Problem> {
    let text = text(node)?;
    let wrong = |message: &str, label: &str| Err(Problem::new(format!("`{text}` {message}"), node.place(label)));
    if !text.starts_with('/') {
        wrong("doesn't start with `/`", "an absolute path on the hosts")
    } else if text.split('/').any(|part| part == ".." || part == ".") {
        wrong("has a `.` or `..` in it", "write the path out")
    } else if text.bytes().all(|b| b == b'/') {
        wrong("is the whole disk", "needs its own folder")
    } else {
        Ok(text.trim_end_matches('/'))
    }
}

/// Checks a text with `{placeholders}`, and returns it filled with samples.
pub(super) fn filled_in(node: &Node, text: &str, samples: &[(&str, &str)]) -> Result<String, Problem> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
        let placeholder = &rest[start..end];
        let Some((_, sample)) = samples.iter().find(|(name, _)| placeholder == format!("{{{name}}}")) else {
            let known: Vec<String> = samples.iter().map(|(name, _)| format!("{{{name}}}")).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Problem::new(format!("`{placeholder}` has no value"), node.place("has no value here"))
                .help(format!("write {}", listed(&known))));
        };
        filled.push_str(&rest[..start]);
        filled.push_str(sample);
        rest = &rest[end..];
    }
    Ok(filled + rest)
}
