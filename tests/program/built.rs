//! What the build script tells the program, and how a release is built.

use lab::runnable;
use std::{fs, path::Path, process::Command};

struct Script(tempfile::TempDir);

impl Script {
    fn compiled() -> Script {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let done = Command::new("rustc")
            .args(["--edition", "2024", "-o"])
            .arg(folder.path().join("build"))
            .arg(source)
            .status();
        assert!(done.expect("rustc can be started").success());
        Script(folder)
    }

    /// Returns what the script prints for a package in a folder, with `TOP` for the folder.
    fn says(&self, top: &Path, profile: &str) -> String {
        let mut script = Command::new(self.0.path().join("build"));
        let output = script.env("CARGO_MANIFEST_DIR", top).env("PROFILE", profile).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().replace(top.to_str().unwrap(), "TOP")
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]).args(args);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    git.env("GIT_COMMITTER_DATE", "2026-11-24T23:00:00Z");
    let output = git.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_release_knows_its_commit_and_an_archive_only_its_version() {
    let (script, folder) = (Script::compiled(), tempfile::tempdir().unwrap());
    let top = folder.path().canonicalize().unwrap().join("rfab");
    fs::create_dir(&top).unwrap();
    let alone = "cargo::rerun-if-changed=build.rs\n";
    assert_eq!(script.says(&top, "release"), alone, "no git");
    // A repository around an unpacked archive doesn't count.
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "another's"]);
    assert_eq!(script.says(&top, "release"), alone, "another repository");
    git(&top, &["init", "-q"]);
    let begun = format!("{alone}cargo::rerun-if-changed=TOP/.git/HEAD\n");
    assert_eq!(script.says(&top, "release"), begun, "no commit yet");
    git(&top, &["commit", "-q", "--allow-empty", "-m", "one"]);
    let commit = git(&top, &["rev-parse", "HEAD"]);
    let built = format!("cargo::rustc-env=RFAB_COMMIT={}\ncargo::rustc-env=RFAB_DATE=2026-11-24\n", &commit[..12]);
    assert_eq!(script.says(&top, "release"), format!("{begun}cargo::rerun-if-changed=TOP/.git/logs/HEAD\n{built}"));
    assert_eq!(script.says(&top, "debug"), alone, "whoever works on it doesn't build anew after each commit");
    let tree = folder.path().canonicalize().unwrap().join("tree");
    git(&top, &["worktree", "add", "-q", tree.to_str().unwrap()]);
    let said = script.says(&tree, "release");
    assert!(said.ends_with(&built) && said.contains("/rfab/.git/worktrees/tree/logs/HEAD\n"), "{said}");
}

#[test]
fn the_release_script_writes_a_checksum_and_what_is_linked_and_refuses_a_binary_of_another_commit() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    fs::create_dir_all(top.join("scripts")).unwrap();
    fs::create_dir(top.join("bin")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release");
    runnable::copy(&script, &top.join("scripts/release"));
    git(top, &["init", "-q"]);
    git(top, &["commit", "-q", "--allow-empty", "-m", "one"]);
    let commit = git(top, &["rev-parse", "--short=12", "HEAD"]);
    // Stands in for the compiler, which takes minutes: a program that only prints its version.
    let program = format!("#include <stdio.h>\nint main() {{ puts(\"rfab 0.1.0 ({commit}, 2026-11-24)\"); }}\n");
    fs::write(top.join("rfab.c"), program).unwrap();
    let cargo = "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --target ] && target=$2; shift; done\nmkdir -p target/$target/release && cc -o target/$target/release/rfab rfab.c\n";
    // No musl target, even if this machine has one.
    for (name, text) in [("cargo", cargo), ("rustc", "#!/bin/sh\nexit 1\n")] {
        runnable::write(&top.join("bin").join(name), text);
    }
    let run = || {
        let path = format!("{}:{}", top.join("bin").display(), std::env::var("PATH").unwrap());
        let mut script = Command::new(top.join("scripts/release"));
        let output = script.current_dir("/").env("PATH", path).env_remove("CARGO_TARGET_DIR").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run();
    assert_eq!(code, Some(0), "{out}{err}");
    let name = format!("rfab-0.1.0-{}-unknown-linux-gnu", std::env::consts::ARCH);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0].split_once("  ").map(|(sum, of)| (sum.len(), of)), Some((64, name.as_str())), "{out}");
    assert_eq!(lines[1], format!("rfab 0.1.0 ({commit}, 2026-11-24)"));
    assert_eq!(lines[2..4], ["links to:", "  libc.so.6"]);
    assert!(lines[4].starts_with("needs at least: GLIBC_2."), "{out}");
    assert_eq!(lines[5..], ["starts: ssh, ssh-keygen, git"]);
    let mut check = Command::new("sha256sum");
    check.args(["-c", "--quiet"]).arg(format!("{name}.sha256")).current_dir(top.join("dist"));
    assert!(check.status().unwrap().success());
    git(top, &["commit", "-q", "--allow-empty", "-m", "two"]);
    let (code, _, err) = run();
    assert_eq!(code, Some(1), "{err}");
    assert!(err.ends_with("which isn't the commit of this checkout\n"), "{err}");
}
