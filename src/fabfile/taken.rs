//! The names that a script has already, so that a function of that name is written with `_` behind.

/// Words that Rhai reserves and that people give tasks: such a function is written with `_` behind.
pub const UNDERSCORED: [&str; 22] = [
    "sync", "async", "await", "default", "new", "debug", "print", "shared", "with", "match", "case", "go", "exit",
    "call", "test", "run", "capture", "sudo", "put", "get", "spawn", "thread",
];

/// Methods of a host and global functions: a function of that name would be called instead of them.
pub const PRIMITIVES: [&str; 39] = [
    "run",
    "capture",
    "sudo",
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
    "stdin",
    "fleet",
    "app",
    "targets",
    "select",
    "role",
    "host",
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

/// Whether a script's own words have this name, so that a function of it is written with `_` behind.
pub fn is_taken(name: &str) -> bool {
    UNDERSCORED.contains(&name) || PRIMITIVES.contains(&name)
}
