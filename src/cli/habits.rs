//! Flags of other tools, and what to type in rfab instead.
use clap::{
    Error,
    builder::StyledStr,
    error::{ContextKind, ContextValue},
};

const HOSTS: &str =
    "name hosts in the line: 'rfab prod:web01,web02 …'; or add '--limit web01' to work on only that one";
const FLEET: &str = "name the fleet first in the line: 'rfab prod deploy stable'";
const LOGIN: &str = "set 'user' in the fleet file; other ssh settings belong in your ssh_config";
const LIST: &str = "'--list' shows the tasks";

/// What people type, and what to type instead.
const HABITS: &[(&[&str], &str)] = &[
    (&["-H", "--hosts", "--host", "-R", "--roles", "-l", "--hosts-file", "-x", "--exclude-hosts"], HOSTS),
    (&["-e", "--env", "--environment", "-d", "--destination", "--stage", "-i", "--inventory"], FLEET),
    (&["-u", "--user", "-I", "--identity", "-p", "--port", "--password", "--ssh-config"], LOGIN),
    (&["-T", "--tasks", "--list-tasks", "-A"], LIST),
    (&["-V"], "'--version' shows the version"),
    (&["-t", "--timeout", "--command-timeout"], "write 'host.timeout(\"30s\").run(…)' in the fabfile"),
    (
        &["--serial", "--batch", "--forks"],
        "'--parallel N' works on at most N hosts at the same time; batches are set in the fabfile",
    ),
    (&["--rollback"], "deploy the older tag: 'rfab prod deploy v1.2.2'; '--abort' undoes what a run did"),
    (&["--tags", "--skip-tags"], "each part of the work is its own task; '--list' shows them"),
    (&["--debug", "--trace", "--verbosity"], "'-v' shows more"),
    (&["--branch", "--tag", "--revision"], "what is deployed is the task's argument: 'rfab prod deploy v1.2.3'"),
];

/// Adds what to type to clap's report of an unknown flag.
pub(super) fn told(mut error: Error) -> Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let flag = flag.split(['=', ' ']).next().unwrap_or_default();
    if let Some((_, tip)) = HABITS.iter().find(|(flags, _)| flags.contains(&flag)) {
        error.remove(ContextKind::SuggestedArg);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(*tip)]));
    }
    error
}
