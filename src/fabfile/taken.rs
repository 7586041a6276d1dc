//! The names that a script already uses. A function with such a name is written with a `_` at the end.
use crate::failure::{Cause, Failure};

/// Reserved words of Rhai that people use for tasks. Such a function is written with a `_` at the end.
pub(super) const UNDERSCORED: [&str; 22] = [
    "sync", "async", "await", "default", "new", "debug", "print", "shared", "with", "match", "case", "go", "exit",
    "call", "test", "run", "capture", "sudo", "put", "get", "spawn", "thread",
];

/// Methods of a host and of targets, and global functions: a function of that name would be called instead of them.
pub(super) const PRIMITIVES: &[&str] = &[
    "run",
    "capture",
    "test",
    "sudo",
    "terminal",
    "put",
    "get",
    "read",
    "write",
    "template",
    "exists",
    "cd",
    "user",
    "env",
    "timeout",
    "mode",
    "stdin",
    "fleet",
    "app",
    "targets",
    "select",
    "role",
    "group",
    "groups",
    "host",
    "whole_fleet",
    "each",
    "parallel",
    "defer",
    "scope",
    "step",
    "sh",
    "number",
    "yes",
    "parse_json",
    "which",
    "both",
    "without",
    "has",
    "first",
    "none",
    "names",
    "padded",
    "together",
    "refuse",
];

/// Why a function of the fabfile can't have this name, if it can't.
pub(super) fn refused(name: &str) -> Option<Failure> {
    PRIMITIVES.contains(&name).then(|| {
        let message = format!("function `{name}` would be called instead of the primitive `{name}`");
        let help = format!("write it `fn {name}_()`; it is still typed `{name}`");
        Failure::new(Cause::Fabfile, message).help(help)
    })
}

/// Returns whether a function with this name needs a `_` at the end, because the script already uses the name.
pub fn is_taken(name: &str) -> bool {
    UNDERSCORED.contains(&name) || PRIMITIVES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs;
    use std::collections::BTreeSet;

    /// Methods that the values of Rhai have, too: a fabfile's function of that name is one for its own values.
    const OF_ALL_VALUES: [&str; 2] = ["len", "is_empty"];

    #[test]
    fn each_primitive_that_is_called_by_its_bare_name_is_taken_and_no_other_name_is() {
        let bare = |entry: docs::FunctionDoc| {
            let name = match entry.name.split_once('.') {
                None => entry.name.as_str(),
                Some(("host" | "targets", method)) => method,
                Some(_) => return None,
            };
            let called = entry.signature.contains('(') && !name.contains("::") && !OF_ALL_VALUES.contains(&name);
            called.then(|| name.to_owned())
        };
        let all: BTreeSet<String> = docs::entries().into_iter().filter_map(bare).collect();
        let listed: BTreeSet<String> = PRIMITIVES.iter().map(|name| name.to_string()).collect();
        let differ: Vec<&String> = listed.symmetric_difference(&all).collect();
        assert!(differ.is_empty(), "`PRIMITIVES` and the pages differ in {differ:?}");
        for name in all {
            assert!(refused(&name).is_some() && is_taken(&name), "{name}");
        }
    }
}
