//! Starts the test binary again as a part of a lab: another process, without a second program to build.
use super::{app, guard};
use std::{env, path::Path, process::Command};

/// Runs the part of a lab that this process was started as; returns if it isn't one.
pub fn begin() {
    match env::var("RFAB_LAB_PART").as_deref() {
        Ok("guard") => guard::run(),
        Ok("app") => app::run(),
        Ok(other) => panic!("the lab has no part `{other}`"),
        Err(_) => {}
    }
}

/// The arguments that make libtest run the test that `suite!` defines, and nothing else.
pub const ARGUMENTS: [&str; 5] = ["part_of_a_lab", "--exact", "--ignored", "--nocapture", "--test-threads=1"];

/// Returns a command that starts this binary as that part.
pub fn command(binary: &Path, part: &str) -> Command {
    let mut command = Command::new(binary);
    command.args(ARGUMENTS).env("RFAB_LAB_PART", part);
    command
}
