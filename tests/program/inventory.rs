//! Fleets with hosts that a command prints: when it runs, and what rfab reports if it fails.
use super::{fabfile, ran, says};
use lab::runnable;
use std::{fs, path::Path};

const FABFILE: &str = r#"
const default_targets = "prod";
fn prod() { fleet("fleets/prod.toml"); fleet("fleets/prod.toml") }
fn map()  { fleet("map", #{ hosts_from: ["bin/hosts", "map"] }) }
fn who() { ui::note(targets().each(|host| `${host.name}=${host.address} ${host.vars}`).to_string()); }
"#;

/// Prints hosts, and writes down that it did.
const GOOD: &str = r#"#!/bin/sh
echo "$@" >> asked
echo '{ "web[1..2]": { "roles": ["web"], "queue": 5 }, "db1": { "address": "10.0.0.1" } }'
"#;

fn project(inventory: &str) -> tempfile::TempDir {
    let folder = fabfile(FABFILE);
    fs::write(folder.path().join("fleets/prod.toml"), "hosts_from = [\"bin/hosts\", \"prod\"]\n").unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    program(folder.path(), inventory, 0o755);
    folder
}

fn program(folder: &Path, text: &str, mode: u32) {
    runnable::write_as(&folder.join("bin/hosts"), text, mode);
}

fn asked(folder: &Path) -> String {
    fs::read_to_string(folder.join("asked")).unwrap_or_default()
}

/// Returns why the fleet isn't read: the whole output, without the excerpt of the fabfile.
#[track_caller]
fn why(inventory: &str, mode: u32) -> String {
    let folder = project("");
    program(folder.path(), inventory, mode);
    refused(folder.path())
}

#[track_caller]
fn refused(folder: &Path) -> String {
    let (out, err, code) = ran(folder, &["who"]);
    assert_eq!((err.as_str(), code), ("", 3), "{out}");
    let of_excerpt =
        |line: &&str| !line.is_empty() && !line.trim_start().starts_with(|c: char| "╭╰·│0123456789".contains(c));
    let rest = out.strip_prefix("rfab who\n").unwrap();
    rest.lines()
        .filter(of_excerpt)
        .collect::<Vec<_>>()
        .join("\n")
        .replace(folder.canonicalize().unwrap().to_str().unwrap(), "HERE")
}

#[test]
fn a_command_is_asked_for_hosts_once_a_run_and_only_where_a_fleet_is_named() {
    let folder = project(GOOD);
    let (out, _, code) = ran(folder.path(), &["who"]);
    assert_eq!(code, 0, "{out}");
    let hosts = r##"["web1=web1 #{\"queue\": 5}", "web2=web2 #{\"queue\": 5}", "db1=10.0.0.1 #{}"]"##;
    assert!(out.contains(hosts), "{out}");
    assert_eq!(asked(folder.path()), "prod\n");
    let (out, _, code) = ran(folder.path(), &["map", "who", "--set", "hosts_from=[\"bin/hosts\", \"of the line\"]"]);
    assert!(code == 0 && out.contains(hosts), "{out}");
    assert_eq!(asked(folder.path()), "prod\nof the line\n");
    for line in [
        &["--list"][..],
        &["--help"],
        &["who", "--help"],
        &[],
        &["--complete", "bash", "--", "prod", "--limit", ""],
        &["--check"],
    ] {
        ran(folder.path(), line);
        assert_eq!(asked(folder.path()), "prod\nof the line\n", "{line:?}");
    }
    // To trust a host's key, rfab must know the host, so the command runs.
    let (out, err, _) = ran(folder.path(), &["--trust", "db1"]);
    assert_eq!(asked(folder.path()), "prod\nof the line\nprod\n", "{out}{err}");
}

#[test]
fn a_command_that_does_not_work_says_what_it_said() {
    assert_eq!(
        why("#!/bin/sh\necho '{'\necho asking the cloud >&2\necho no token >&2\nexit 3\n", 0o755),
        "error: fleet `prod` has no hosts: `bin/hosts prod` ended with status 3\n  help: its last line was: no token"
    );
    assert_eq!(
        why("#!/bin/sh\nexit 1\n", 0o755),
        "error: fleet `prod` has no hosts: `bin/hosts prod` ended with status 1\n  help: it printed nothing; run it by hand in the fabfile's folder"
    );
    assert_eq!(
        why("#!/bin/sh\n", 0o644),
        "error: fleet `prod` has no hosts: `bin/hosts` isn't executable on this machine\n  help: make it executable: `chmod +x bin/hosts`"
    );
    assert_eq!(
        why(GOOD, 0o777),
        "error: `HERE/bin/hosts` is writable by everybody, who could run commands as you\n  help: remove that permission: `chmod o-w HERE/bin/hosts`"
    );
    assert_eq!(
        why("#!/bin/sh\nhead -c 5000000 /dev/zero\n", 0o755),
        "error: fleet `prod` has no hosts: `bin/hosts prod` printed more than 4 MiB\n  help: let it print only hosts"
    );
    let folder = project(GOOD);
    fs::remove_file(folder.path().join("bin/hosts")).unwrap();
    assert_eq!(
        refused(folder.path()),
        "error: fleet `prod` has no hosts: there is no program `bin/hosts` on this machine\n  help: install it, or write its path relative to the fabfile's folder"
    );
}

#[test]
fn what_is_wrong_with_printed_hosts_is_said_whole() {
    let folder = project("#!/bin/sh\nprintf '\\033[2JUsage: hosts FLEET\\n'\n");
    let said = "rfab who

error: what `bin/hosts prod` printed isn't JSON: expected value at line 1 column 1
   ╭─[fleets/prod.toml:1:14]
 1 │ hosts_from = [\"bin/hosts\", \"prod\"]
   ·              ──────────┬──────────
   ·                        ╰── who prints them
   ╰────
   ╭─[fabfile.rhai:3:13]
 2 │ const default_targets = \"prod\";
 3 │ fn prod() { fleet(\"fleets/prod.toml\"); fleet(\"fleets/prod.toml\") }
   ·             ──┬──
   ·               ╰── called here
 4 │ fn map()  { fleet(\"map\", #{ hosts_from: [\"bin/hosts\", \"map\"] }) }
   ╰────
  help: it printed: \\u{1b}[2JUsage: hosts FLEET
";
    says(folder.path(), &["who"], 3, said, "");
}
