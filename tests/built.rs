//! What the build script tells the program.
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

    /// What it says for a package in a folder, which is shown as `TOP`.
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
    // A repository around an unpacked archive says nothing of it.
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
    assert_eq!(script.says(&top, "debug"), alone, "whoever works on it does not build anew after each commit");
    let tree = folder.path().canonicalize().unwrap().join("tree");
    git(&top, &["worktree", "add", "-q", tree.to_str().unwrap()]);
    let said = script.says(&tree, "release");
    assert!(said.ends_with(&built) && said.contains("/rfab/.git/worktrees/tree/logs/HEAD\n"), "{said}");
}
