//! The names that a script already uses. A function with such a name is written with a `_` at the end.

/// Reserved words of Rhai that people use for tasks. Such a function is written with a `_` at the end.
pub const UNDERSCORED: [&str; 22] = [
    "sync", "async", "await", "default", "new", "debug", "print", "shared", "with", "match", "case", "go", "exit",
    "call", "test", "run", "capture", "sudo", "put", "get", "spawn", "thread",
];

/// Methods of a host, and global functions. A function with such a name would be called instead of them.
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

/// Returns whether a function with this name needs a `_` at the end, because the script already uses the name.
pub fn is_taken(name: &str) -> bool {
    UNDERSCORED.contains(&name) || PRIMITIVES.contains(&name)
}
