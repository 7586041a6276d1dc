//! The program as people see it: all of stdout and stderr, and the exit code. These tests connect to nothing.
mod built;
mod completing;
mod demo;
mod drill;
mod files;
mod first;
mod gate;
mod gitflow;
mod history;
mod http;
mod inventory;
mod line;
mod local;
mod meant;
mod mistakes;
mod notify;
mod pipeline;
mod repository;
mod secret;
mod shells;
mod store;
mod taken_over;
mod version;
mod window;

use lab::alone;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

lab::suite!();

/// Copies this repository's shop into a new folder.
fn shop() -> tempfile::TempDir {
    let (folder, here) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
    fs::create_dir(folder.path().join("fleets")).unwrap();
    for file in ["fabfile.rhai", "fleets/prod.toml", "fleets/testing1.toml"] {
        fs::copy(here.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Makes a folder with this fabfile.
fn fabfile(text: &str) -> tempfile::TempDir {
    let folder = shop();
    fs::write(folder.path().join("fabfile.rhai"), text).unwrap();
    folder
}

/// Runs a line; returns stdout, stderr and the exit code, with `HERE` for the folder.
fn ran(folder: &Path, line: &[&str]) -> (String, String, i32) {
    let (out, err, code) = ran_in(folder, &[], line);
    (out, err, code.unwrap())
}

/// Does the same with these variables; the exit code is `None` if a signal ended it.
fn ran_in(folder: &Path, variables: &[(&str, &str)], line: &[&str]) -> (String, String, Option<i32>) {
    let output = alone::cleared(&mut Command::new(env!("CARGO_BIN_EXE_rfab")))
        .args(line)
        .current_dir(folder)
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let here = folder.canonicalize().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(here.to_str().unwrap(), "HERE");
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// Checks that a line prints exactly this.
#[track_caller]
fn says(folder: &Path, line: &[&str], code: i32, stdout: &str, stderr: &str) {
    let (out, err, exit) = ran(folder, line);
    assert_eq!((out.as_str(), err.as_str(), exit), (stdout, stderr, code), "rfab {}\n{out}{err}", line.join(" "));
}
