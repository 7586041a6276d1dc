//! Functions and keys by their names elsewhere.
use super::{
    super::row::Words,
    spelling::{HTTP, IMPORT, LOCAL, SAY, VARIABLES},
};

/// Functions and methods by their names elsewhere.
pub(crate) const FUNCTIONS: &[(Words, &str)] = &[
    (&["puts", "printf", "println", "echo", "info"], SAY),
    (&["warning"], "write `ui::warn(\"…\")`"),
    (&["str", "String", "repr", "to_s", "toString"], "write `x.to_string()`, or put it into a string: `` `${x}` ``"),
    (&["int", "Integer", "to_i", "parseInt", "Number"], "write `number(text)`"),
    (&["bool"], "write `yes(text)`"),
    (&["upper", "upcase", "toUpperCase"], "write `text.to_upper()`"),
    (&["lower", "downcase", "toLowerCase"], "write `text.to_lower()`"),
    (&["strip", "chomp"], "write `text.trim()`, which changes the variable itself"),
    (&["startswith", "startsWith", "start_with"], "write `text.starts_with(\"…\")`"),
    (&["endswith", "endsWith", "end_with"], "write `text.ends_with(\"…\")`"),
    (&["includes", "include"], "write `list.contains(x)`, or `x in list`"),
    (&["size", "length", "count"], "write `list.len()`"),
    (&["forEach", "foreach", "each_with_index"], "write `for x in list { … }`, or `for (x, i) in list { … }`"),
    (&["format", "sprintf", "interpolate"], "write the text in backticks: `` `to ${name}` ``"),
    (&["isinstance", "typeof", "is_a"], "write `type_of(x) == \"string\"`"),
    (&["require", "require_relative", "load"], IMPORT),
    (&["raise", "fail", "die", "Error", "Exception"], "write `throw \"why\"`"),
    (
        &["execute", "shell", "exec", "system", "ssh", "subprocess"],
        "write `host.run(\"…\")` within `targets().each(|host| …)`; on this machine `local::run(\"…\")`",
    ),
    (&["local", "lcd", "run_locally", "popen", "check_call", "check_output", "execSync"], LOCAL),
    (&["fetch", "curl", "wget", "urlopen"], HTTP),
    (
        &["open", "open_file", "read_file", "readFile"],
        "write `host.read(path)`, or `host.write(path, text)`; for a file of the project, write `local::read(path)`",
    ),
    (&["upload", "rsync", "scp"], "write `host.put(from, to)`"),
    (&["download"], "write `host.get(from, to)`"),
    (&["getenv"], VARIABLES),
    (&["getpass", "password", "ask_password"], "write `secret::ask(\"the database password\")`"),
];

/// Keys of limits and hooks by their names elsewhere.
pub(crate) const KEYS: &[(Words, &str)] = &[
    (&["serial", "batch", "batch_size"], "write `batches: [1, \"20%\"]`"),
    (&["limit", "parallel", "pool_size", "forks", "concurrency"], "write `at_once: 4`"),
    (&["max_fail_percentage", "max_failures", "on_error"], "write `max_failed: 1`"),
    (
        &["before", "before_deploy", "build", "install"],
        "write `prepare: |host| …`, which runs in the new release before the switch",
    ),
    (&["migration", "migrations"], "write `migrate: |host| …`, which runs once per release"),
    (&["after", "after_deploy", "reload"], "write `restart: |host| …`, which runs after the switch"),
];
