//! Builds the commit into the program.
//!
//! Only a release build has it: otherwise, each commit would make a developer's next build a full one. A build from an
//! archive, without git, has only the version.
use std::{env, fs, path::Path, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let top = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // A repository in a folder above this one isn't this project's.
    let Some(git) = folder(&top).filter(|_| env::var("PROFILE").is_ok_and(|profile| profile == "release")) else {
        return;
    };
    // Git writes the second file at each commit, even if branches are packed.
    for file in ["HEAD", "logs/HEAD"].map(|file| git.join(file)).iter().filter(|file| file.exists()) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let mut show = Command::new("git");
    show.args(["show", "-s", "--no-show-signature", "--format=%H %cs", "HEAD"]).current_dir(&top);
    let said =
        show.output().ok().filter(|output| output.status.success()).map(|output| output.stdout).unwrap_or_default();
    if let Some((commit, date)) = String::from_utf8_lossy(&said).trim().split_once(' ') {
        println!("cargo::rustc-env=RFAB_COMMIT={}", &commit[..12.min(commit.len())]);
        println!("cargo::rustc-env=RFAB_DATE={date}");
    }
}

/// Returns the git folder of this checkout; in a worktree, a file names it.
fn folder(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    Some(top.join(text.trim().strip_prefix("gitdir: ")?))
}
