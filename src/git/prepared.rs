//! Prepares a call of git that looks only where it's told to, and runs nothing that it shouldn't.
use super::{Repository, Trust};
use std::{ffi::OsString, path::Path, process::Command};

/// Variables that would make git look elsewhere.
const ELSEWHERE: [&str; 13] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_CEILING_DIRECTORIES",
];

const CAREFUL: [&str; 12] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.bareRepository=explicit",
];

/// Overrides the programs that a repository's configuration can make a fetch run. An empty helper clears earlier ones.
const STRANGE: [&str; 6] = ["-c", "credential.helper=", "-c", "core.askPass=", "-c", "core.alternateRefsCommand=true"];

/// Prepares a call of git. The user's settings (`GIT_SSH_COMMAND`, `GIT_CONFIG_COUNT`, …) apply to every repository;
/// the programs in a strange repository's configuration don't.
pub(super) fn prepare(command: &mut Command, at: &Repository) {
    plain(command);
    if at.trust != Trust::Own {
        command.args(CAREFUL);
    }
    if at.trust == Trust::Strange {
        command.args(STRANGE).env("GIT_PROXY_COMMAND", "");
        if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh");
        }
    }
    if at.trust == Trust::Module {
        command.env("GIT_PROTOCOL_FROM_USER", "0");
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_EDITOR", ":");
    match &at.work {
        Some(work) => command.arg("-C").arg(work),
        None => command.arg(joined("--git-dir=", &at.folder)),
    };
}

/// Takes from a program the variables that would make git look elsewhere.
pub(super) fn plain(command: &mut Command) {
    ELSEWHERE.iter().for_each(|name| _ = command.env_remove(name));
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut all = OsString::from(flag);
    all.push(path);
    all
}

/// Prepares a call of git that only reads, and doesn't fetch missing objects.
pub(super) fn reading(at: &Repository) -> Command {
    let mut command = Command::new("git");
    prepare(&mut command, at);
    // The second variable is for versions of git that don't know the first.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}
