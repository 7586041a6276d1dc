//! A private connection for one program, which nothing else shares or keeps.
use super::{
    carrier::{ALIVE_WITHIN, Carrier},
    child::{ChannelRefusal, RemoteChild},
    connection::{Connections, SILENT},
    forwards::forward,
    wrapper,
};
use crate::{
    failure::{Cause, Failure},
    host::{Host, Name},
    port::{Exclusive, Remote},
};
use openssh::Session;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};

/// Private connections that log in before a program needs them, by host.
#[derive(Default)]
pub(super) struct EarlyLogins(Mutex<BTreeMap<Name, JoinHandle<Result<PrivateLogin, Failure>>>>);

impl EarlyLogins {
    /// Begins to log in to a host, unless that has begun.
    pub(super) fn begin(&self, connections: &Arc<Connections>, host: &Host) {
        self.0.lock().unwrap().entry(host.name.clone()).or_insert_with(|| {
            let (connections, host) = (connections.clone(), host.clone());
            tokio::spawn(async move { PrivateLogin::open(&connections, &host).await })
        });
    }

    /// Returns a connection that logged in before, if it lives, or logs in now.
    async fn take(&self, connections: &Connections, host: &Host) -> Result<PrivateLogin, Failure> {
        let early = self.0.lock().unwrap().remove(&host.name);
        if let Some(early) = early
            && let Ok(Ok(private)) = early.await
            && private.carrier.answers().await
        {
            return Ok(private);
        }
        PrivateLogin::open(connections, host).await
    }
}

/// A connection that nothing shares; one of OpenSSH's ends with its master.
struct PrivateLogin {
    carrier: Carrier,
    master: Option<EndsMaster>,
}

impl PrivateLogin {
    async fn open(connections: &Connections, host: &Host) -> Result<PrivateLogin, Failure> {
        let route = connections.route(host).await?;
        if let Some(carrier) = connections.natively(host, &route).await? {
            return Ok(PrivateLogin { carrier, master: None });
        }
        let base = &connections.base;
        let control = base.folder.path(&format!("x{:012x}", rand::random::<u64>() >> 16));
        connections.start(&control, host, &route, false).await?;
        let carrier = Carrier::Master(Arc::new(Session::resume_mux(control.clone().into(), None)));
        let master = EndsMaster { config: base.config.clone(), control, host: host.address().to_owned() };
        Ok(PrivateLogin { carrier, master: Some(master) })
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
    let PrivateLogin { carrier, master } = early.take(connections, host).await?;
    let line = wrapper::bare(program, args)?;
    let unreachable = |why: &str| {
        let message = format!("can't be reached: {why}");
        Failure::new(Cause::Unreachable, message).on(&host.name)
    };
    let forwarding = async {
        match socket {
            Some(remote) => forward(&connections.base.folder, &carrier, host, remote).await.map(Some),
            None => Ok(None),
        }
    };
    // Both take a round trip.
    let (child, near) = tokio::join!(timeout(SILENT, carrier.spawn(&line)), forwarding);
    let mut child = match child {
        Ok(Ok(child)) => child,
        Ok(Err(ChannelRefusal::Broken(why))) => return Err(unreachable(&format!("its connection broke: {why}"))),
        Ok(Err(ChannelRefusal::TooMany)) => return Err(unreachable("it runs no command on a connection")),
        Err(_) => return Err(unreachable("its connection is frozen")),
    };
    let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut stderr = child.stderr.take().expect("piped");
    tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
    let near = near?;
    let guard = PrivateConnection { near: near.clone(), child: Mutex::new(child), carrier, master };
    Ok(Exclusive { stdin, stdout, socket: near, guard: Box::new(guard) })
}

/// A private connection with what runs on it. It ends when this is dropped.
struct PrivateConnection {
    near: Option<PathBuf>,
    #[expect(dead_code, reason = "it ends when dropped")]
    child: Mutex<RemoteChild>,
    #[expect(dead_code, reason = "it ends when dropped")]
    carrier: Carrier,
    #[expect(dead_code, reason = "it ends when dropped")]
    master: Option<EndsMaster>,
}

impl Drop for PrivateConnection {
    fn drop(&mut self) {
        if let Some(near) = &self.near {
            let _ = std::fs::remove_file(near);
        }
    }
}

/// Ends the process of a private connection.
struct EndsMaster {
    config: PathBuf,
    control: PathBuf,
    host: String,
}

impl Drop for EndsMaster {
    fn drop(&mut self) {
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
