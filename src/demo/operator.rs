//! The operator who types the commands: each is a run of this program, as a user of the team with another home folder.
use super::{host, repository::write, signals::Signals};
use crate::failure::Failure;
use russh::keys::PublicKey;
use rustix::process::{Pid, kill_process};
use std::{
    env,
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    process::Command,
    time::{Instant, sleep_until},
};

/// The environment variables that a command keeps; all others would belong to this machine.
const KEPT: [&str; 11] = [
    "PATH",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "COLUMNS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
/// How long a command may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Operator {
    pub home: PathBuf,
    /// The file with the private key.
    pub key_file: PathBuf,
    pub key: PublicKey,
    /// The folder with the fabfile.
    pub project: PathBuf,
    /// The folder for connections that stay open between commands.
    runtime: PathBuf,
    /// The flags before the words.
    flags: Vec<String>,
}

impl Operator {
    /// Makes a home and a key below `root`.
    pub(super) fn make(root: &Path, flags: Vec<String>) -> Result<Operator, Failure> {
        let (home, runtime, project) = (root.join("home"), root.join("run"), root.join("shop"));
        let (key, key_file) = (host::new_key(), home.join(".ssh/id_ed25519"));
        write(&key_file, &host::text_of(&key))?;
        let mode = |mode| Permissions::from_mode(mode);
        let private = fs::set_permissions(&key_file, mode(0o600))
            .and_then(|()| fs::create_dir(&runtime))
            .and_then(|()| fs::set_permissions(&runtime, mode(0o700)));
        private.map_err(|e| Failure::failed(format!("the operator's folders can't be made: {e}")))?;
        Ok(Operator { home, key_file, key: key.public_key().clone(), project, runtime, flags })
    }

    /// Runs one command to its end, and passes signals on to it.
    pub(super) async fn run(&self, words: &str, signals: &mut Signals) -> Result<ExitStatus, Failure> {
        let failed = |e: std::io::Error| Failure::failed(format!("`rfab {words}` can't be started: {e}"));
        let program = env::current_exe().map_err(failed)?;
        let kept = KEPT.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(program)
            .args(&self.flags)
            .args(words.split(' '))
            .current_dir(&self.project)
            .env_clear()
            .envs(kept)
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", &self.runtime)
            .stdin(Stdio::null())
            // Only the demo passes Ctrl-C on to it, once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
        let mut until = None;
        loop {
            tokio::select! {
                ended = child.wait() => return ended.map_err(failed),
                signal = signals.next() => {
                    let _ = pid.map(|pid| kill_process(pid, signal));
                    until.get_or_insert(Instant::now() + PATIENCE);
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    child.kill().await.map_err(failed)?;
                }
            }
        }
    }
}

/// Returns how a command ended, in words.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
    }
}
