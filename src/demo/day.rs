//! The day of a hotfix: five commands, each a run of this very program.
use super::signals::Signals;
use crate::failure::Failure;
use rustix::process::{Pid, kill_process};
use std::{
    env,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{process::Command, time::sleep};

/// The words of each command, and what it does.
pub const COMMANDS: [(&str, &str); 5] = [
    ("prod proxy.group2", "group2 live, group1 out of the balancer"),
    ("prod:out deploy:stable", "the newest stable tag, to the hosts that are out"),
    ("prod proxy.flip", "group1 live with the hotfix, group2 out"),
    ("prod:out deploy:stable", "group2 too"),
    ("prod proxy.all", "everybody live"),
];

/// What a command keeps of the environment; all else would be this machine's own.
const KEPT: [&str; 9] = ["PATH", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "COLORTERM", "NO_COLOR", "COLUMNS"];
/// How long a command that was told to end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who types the commands.
pub struct Operator {
    pub home: PathBuf,
    /// Where connections are kept between commands.
    pub runtime: PathBuf,
    /// The folder with the fabfile.
    pub project: PathBuf,
    /// Flags that go before the words.
    pub flags: Vec<String>,
}

impl Operator {
    /// Runs one command to its end; signals are passed on to it.
    pub async fn run(&self, words: &str, signals: &mut Signals) -> Result<ExitStatus, Failure> {
        let failed = |e: std::io::Error| Failure::failed(format!("`rfab {words}` cannot be started: {e}"));
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
            // Ctrl-C reaches it through us alone, once.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
        let mut patience = None;
        loop {
            let enough = async {
                match patience {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = child.wait() => return ended.map_err(failed),
                signal = signals.next() => {
                    let _ = pid.map(|pid| kill_process(pid, signal));
                    patience.get_or_insert(tokio::time::Instant::now() + PATIENCE);
                }
                () = enough => {
                    let _ = child.start_kill();
                    sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

/// How a command ended, in words.
pub fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
    }
}
