//! Tells the program which commit it is built from.
//!
//! Only a release build is told: otherwise each commit would make each developer's next build a whole one. Whoever builds
//! from an archive, without git, has a program that knows its version alone.
use std::{env, fs, path::Path, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let top = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // A repository further up is somebody else's.
    let Some(git) = folder(&top).filter(|_| env::var("PROFILE").is_ok_and(|profile| profile == "release")) else {
        return;
    };
    // The second is written at each commit, also where branches are packed.
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

/// The git folder of this checkout, which a worktree's file names.
fn folder(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    Some(top.join(text.trim().strip_prefix("gitdir: ")?))
}
