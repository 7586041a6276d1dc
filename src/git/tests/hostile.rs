//! Checks that the machine's settings don't change these tests.
use std::{fs, process::Command};

/// Tests that read repositories, fetch over ssh, commit, pack, write dates, show texts or read ssh's configuration.
const SAMPLE: [&str; 7] = [
    "git::change::tests",
    "git::fetch::tests::a_first_fetch",
    "git::resolve::tests",
    "ledger::book::tests",
    "release::tree::pack::tests::a_commit_packs",
    "release::tree::check_out::tests",
    "ssh::connection::config::tests",
];

/// A configuration of git that a machine may have and that would change what git does.
const GIT: &str = "[safe]\n\tdirectory = *\n[commit]\n\tgpgsign = true\n[tag]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n\
                   [init]\n\tdefaultBranch = x\n[core]\n\thooksPath = /nowhere\n\tautocrlf = true\n[push]\n\tdefault = nothing\n";

#[test]
fn nothing_that_a_machine_may_be_set_to_changes_what_the_tests_see() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for name in [".gitconfig", "xdg/git/config"] {
        let file = home.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, GIT).unwrap();
    }
    fs::create_dir(home.join(".ssh")).unwrap();
    fs::write(home.join(".ssh/config"), "Host *\n    User mallory\n    ProxyCommand false\n").unwrap();
    let config = home.join(".gitconfig");
    let mut sample = Command::new("sh");
    sample.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap()).args(SAMPLE);
    sample
        .env("GIT_CONFIG_SYSTEM", &config)
        .env("GIT_CONFIG_GLOBAL", &config)
        .env_remove("GIT_CONFIG_NOSYSTEM")
        .env_remove("RFAB_ALONE");
    sample.env("HOME", home).env("XDG_CONFIG_HOME", home.join("xdg"));
    for (name, value) in [
        ("GIT_DIR", "/nowhere"),
        ("GIT_SSH_COMMAND", "false"),
        ("GIT_AUTHOR_NAME", "nobody"),
        ("GIT_DEFAULT_HASH", "sha256"),
        ("SSH_AUTH_SOCK", "/nowhere"),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
        ("TZ", "Asia/Kathmandu"),
        ("USER", ""),
    ] {
        sample.env(name, value);
    }
    let out = sample.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{text}");
    let ran = text.lines().filter(|line| line.ends_with("... ok")).count();
    assert!(ran > 20, "the sample is gone: {text}");
}

#[test]
fn the_environment_of_a_test_is_its_own() {
    let names = std::env::vars().map(|(name, _)| name);
    let git: Vec<String> = names.filter(|name| name.starts_with("GIT_") || name.starts_with("LC_")).collect();
    let mut git: Vec<&str> = git.iter().map(String::as_str).collect();
    git.sort_unstable();
    assert_eq!(git, ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_TERMINAL_PROMPT"]);
    assert_eq!(std::env::var("TZ").as_deref(), Ok("UTC"));
    assert_eq!(std::env::var("HOME").as_deref(), Ok("/dev/null"));
    let made = tempfile::tempdir().unwrap();
    fs::write(made.path().join("file"), "").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(made.path().join("file")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o644);
    // libgit2 must not read the machine's configuration either.
    let config = git2::Config::open_default().unwrap();
    assert_eq!(config.entries(None).unwrap().next().map(|entry| entry.unwrap().name().unwrap().to_owned()), None);
}
