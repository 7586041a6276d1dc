//! A private connection for one program, which nothing else shares or keeps.
use super::{
    connection::{ALIVE_WITHIN, Connections, SILENT, answers},
    forwards::forward,
    wrapper,
};
use crate::{
    failure::{Cause, Failure},
    host::{Host, Name},
    port::{Exclusive, Remote},
};
use openssh::{Session, Stdio};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};

/// Private connections that log in before a program needs them, by host.
#[derive(Default)]
pub(super) struct EarlyLogins(Mutex<BTreeMap<Name, JoinHandle<Result<PrivateConnection, Failure>>>>);

impl EarlyLogins {
    /// Begins to log in to a host, unless that has begun.
    pub(super) fn begin(&self, connections: &Arc<Connections>, host: &Host) {
        self.0.lock().unwrap().entry(host.name.clone()).or_insert_with(|| {
            let (connections, host) = (connections.clone(), host.clone());
            tokio::spawn(async move { PrivateConnection::open(&connections, &host).await })
        });
    }

    /// Returns a connection that logged in before, if it lives, or logs in now.
    async fn take(&self, connections: &Connections, host: &Host) -> Result<PrivateConnection, Failure> {
        let early = self.0.lock().unwrap().remove(&host.name);
        if let Some(early) = early
            && let Ok(Ok(private)) = early.await
            && answers(&private.session).await
        {
            return Ok(private);
        }
        PrivateConnection::open(connections, host).await
    }
}

/// A connection that nothing shares, and what ends it.
struct PrivateConnection {
    session: Arc<Session>,
    guard: EndsConnection,
}

impl PrivateConnection {
    async fn open(connections: &Connections, host: &Host) -> Result<PrivateConnection, Failure> {
        let base = &connections.base;
        let control = base.folder.path(&format!("x{:012x}", rand::random::<u64>() >> 16));
        connections.start(&control, host, false).await?;
        let session = Arc::new(Session::resume_mux(control.clone().into(), None));
        let (config, host) = (base.config.clone(), host.address().to_owned());
        Ok(PrivateConnection { session, guard: EndsConnection { config, control, host, near: None } })
    }
}

/// Starts a program on a private connection, and forwards a socket through the same connection.
pub(super) async fn exclusive(
    early: &EarlyLogins,
    connections: &Connections,
    host: &Host,
    program: &str,
    args: &[&str],
    socket: Option<&Remote>,
) -> Result<Exclusive, Failure> {
    let PrivateConnection { session, mut guard } = early.take(connections, host).await?;
    let line = wrapper::bare(program, args)?;
    let unreachable = |why: &str| {
        let message = format!("can't be reached: {why}");
        Failure::new(Cause::Unreachable, message).on(&host.name)
    };
    let mut command = session.clone().arc_raw_command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let forwarding = async {
        match socket {
            Some(remote) => forward(&connections.base.folder, &session, host, remote).await.map(Some),
            None => Ok(None),
        }
    };
    // Both take a round trip.
    let (child, near) = tokio::join!(timeout(SILENT, command.spawn()), forwarding);
    let child = child.map_err(|_| unreachable("its connection is frozen"))?;
    let mut child = child.map_err(|e| unreachable(&format!("its connection broke: {e}")))?;
    let (stdin, stdout) = (child.stdin().take().expect("piped"), child.stdout().take().expect("piped"));
    guard.near = near?;
    Ok(Exclusive {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        socket: guard.near.clone(),
        guard: Box::new((guard, KeptChild(Mutex::new(child)))),
    })
}

/// Holds the channel open.
struct KeptChild(#[expect(dead_code, reason = "it ends when dropped")] Mutex<openssh::Child<Arc<Session>>>);

/// Ends a private connection.
struct EndsConnection {
    config: PathBuf,
    control: PathBuf,
    host: String,
    near: Option<PathBuf>,
}

impl Drop for EndsConnection {
    fn drop(&mut self) {
        if let Some(near) = &self.near {
            let _ = std::fs::remove_file(near);
        }
        let mut command = std::process::Command::new("ssh");
        command
            .arg("-F")
            .arg(&self.config)
            .arg("-O")
            .arg("exit")
            .arg("-o")
            .arg(format!("ControlPath={}", self.control.display()));
        command.args(["--", &self.host]).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let Ok(mut child) = command.stderr(std::process::Stdio::null()).spawn() else { return };
        // A frozen connection doesn't answer; it ends when the keeper gives up.
        let until = Instant::now() + ALIVE_WITHIN;
        while Instant::now() < until {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        let _ = child.wait();
        let _ = std::fs::remove_file(&self.control);
    }
}
