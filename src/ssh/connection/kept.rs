//! Connections that stay open for later runs, and what they were opened for.
use super::{alive::living, folder::SshFolder};
use crate::{failure::Failure, ssh::carrier::ALIVE_WITHIN};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

/// A connection that stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptConnection {
    pub fleet: String,
    /// The host, as ssh is told it.
    pub host: String,
    /// The fabfile's folder.
    pub project: PathBuf,
    /// When it was opened, in seconds since 1970.
    pub since: u64,
    /// How long it stays open after its last use, in seconds.
    pub idle: u64,
    /// Distinguishes connections of one configuration from those of another.
    pub digest: String,
    #[serde(skip)]
    socket: PathBuf,
}

impl KeptConnection {
    pub(super) fn new(socket: &Path, fleet: &str, host: &str, project: &Path, idle: Duration, digest: &str) -> Self {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let [fleet, host, digest] = [fleet, host, digest].map(str::to_owned);
        Self {
            fleet,
            host,
            project: project.to_owned(),
            since,
            idle: idle.as_secs(),
            digest,
            socket: socket.to_owned(),
        }
    }

    /// Writes down what the connection is for, beside its socket.
    pub(super) fn record(&self, folder: &SshFolder) -> Result<(), Failure> {
        let name = self.socket.file_name().unwrap_or_default().to_string_lossy();
        let text = serde_json::to_string(self).map_err(|e| Failure::failed(e.to_string()))?;
        folder.write(&format!("{name}.json"), &text).map(drop)
    }

    /// Lets the connection end as soon as no command uses it.
    ///
    /// No command can begin on it from now on. `ssh -O stop` asks its process, which has a moment to answer.
    pub(super) fn stop(&self) {
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-O", "stop", "-o", &format!("ControlPath={}", self.socket.display()), "--", "x"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            let until = Instant::now() + ALIVE_WITHIN;
            while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        self.forget();
    }

    /// Removes the socket and the record, so that nobody uses them.
    fn forget(&self) {
        let _ = fs::remove_file(&self.socket);
        let _ = fs::remove_file(record_of(&self.socket));
    }
}

fn record_of(socket: &Path) -> PathBuf {
    let mut name = socket.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

/// Lists the connections that were written down in a folder, by fleet and host. Records without a socket are removed.
pub(super) fn recorded(folder: &SshFolder) -> Vec<KeptConnection> {
    let entries = fs::read_dir(folder.path("")).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.path();
        let Some(socket) = path.to_str().and_then(|path| path.strip_suffix(".json")).map(PathBuf::from) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap_or_default();
        let Ok(kept) = serde_json::from_str::<KeptConnection>(&text) else { continue };
        let kept = KeptConnection { socket, ..kept };
        if kept.socket.exists() { all.push(kept) } else { kept.forget() }
    }
    all.sort_by(|a, b| (&a.fleet, &a.host, a.since).cmp(&(&b.fleet, &b.host, b.since)));
    all
}

/// Stops the connections of a fleet that another configuration, other keys or other known hosts opened.
pub(super) fn retire(folder: &SshFolder, fleet: &str, project: &Path, digest: &str) {
    let old = |kept: &KeptConnection| kept.fleet == fleet && kept.project == project && kept.digest != digest;
    recorded(folder).iter().filter(|kept| old(kept)).for_each(KeptConnection::stop);
}

/// Returns this user's connections that stay open and answer.
pub async fn kept(runtime: Option<&Path>) -> Result<Vec<KeptConnection>, Failure> {
    let mut alive = Vec::new();
    for kept in recorded(&SshFolder::make(runtime)?) {
        if living(&kept.socket).await.is_some() { alive.push(kept) } else { kept.forget() }
    }
    Ok(alive)
}

/// Closes this user's connections that stay open. One that a command uses ends after that command.
pub async fn disconnect(runtime: Option<&Path>) -> Result<Vec<KeptConnection>, Failure> {
    let all = kept(runtime).await?;
    all.iter().for_each(KeptConnection::stop);
    Ok(all)
}
