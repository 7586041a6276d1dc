//! Hides the machine from the tests, except its programs: no configuration of git, ssh or XDG, no language, no time
//! zone.
//!
//! `lab::alone!()` in a test binary runs this before `main`, while there is only one thread.
use std::{env, process::Command};

/// The variables that tests keep: where programs are, and settings of the tests themselves.
const KEPT: [&str; 8] = ["CARGO", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE", "PATH", "RFAB_", "RUST", "TMPDIR", "UPDATE"];

/// Variables that rfab reads; their names begin like settings of the tests.
const READ_BY_RFAB: [&str; 2] = ["RFAB_DRILL", "RFAB_ON_BEHALF_OF"];

/// Set for the processes that a test starts: a test program in a terminal, for example, keeps what that test gave it.
const GIVEN: &str = "RFAB_ALONE";

/// What each test has in the environment instead. Nothing can create a folder in this home.
const SET: [(&str, &str); 8] = [
    (GIVEN, "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("HOME", "/dev/null"),
    ("LANG", "C.UTF-8"),
    ("TZ", "UTC"),
    ("USER", "tester"),
];

/// Clears a command's environment, except where programs are; it still hides the machine's settings.
pub fn cleared(command: &mut Command) -> &mut Command {
    command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("TZ", "UTC")
}

/// Forgets the machine's configuration. It runs before `main`.
pub fn begin() {
    if env::var_os(GIVEN).is_some() {
        return;
    }
    let is_kept = |name: &[u8]| KEPT.iter().any(|kept| name.starts_with(kept.as_bytes()));
    let strange = env::vars_os().map(|(name, _)| name).filter(|name| !is_kept(name.as_encoded_bytes()));
    let strange: Vec<_> = strange.collect();
    // SAFETY: no other thread runs before `main`.
    unsafe {
        strange.iter().for_each(|name| env::remove_var(name));
        READ_BY_RFAB.iter().for_each(|name| env::remove_var(name));
        SET.iter().for_each(|(name, value)| env::set_var(name, value));
        // libgit2 reads the system's configuration even if the environment forbids it.
        let _ = git2::opts::set_search_path(git2::ConfigLevel::System, "/dev/null");
    }
    // A shell's background job, or `nohup`, ignores some signals, and so would all that a test starts.
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: no other thread runs before `main`, and the default action runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// Keeps a test binary from seeing this machine's configuration.
#[macro_export]
macro_rules! alone {
    () => {
        $crate::before_main!($crate::alone::begin());
    };
}

/// Runs a call before `main`.
#[doc(hidden)]
#[macro_export]
macro_rules! before_main {
    ($call:expr) => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static BEFORE_MAIN: extern "C" fn() = {
            extern "C" fn before_main() {
                $call
            }
            before_main
        };
    };
}
