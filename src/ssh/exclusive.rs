//! A private connection for one program, which nothing else shares or keeps.
use super::{
    carrier::{ALIVE_WITHIN, Carrier},
    child::{ChannelRefusal, ChildOutput, RemoteChild},
    connection::{Connections, SILENT, heard_within},
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
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::{JoinHandle, unconstrained},
    time::timeout,
};

/// How much of a program's output may wait to be read: more than its longest answer, which has 16 MiB.
const AHEAD: usize = 17 << 20;

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
    let (child, near) = tokio::join!(heard_within(SILENT, carrier.spawn(&line)), forwarding);
    let mut child = match child {
        Some(Ok(child)) => child,
        Some(Err(ChannelRefusal::Broken(why))) => return Err(unreachable(&format!("its connection broke: {why}"))),
        Some(Err(ChannelRefusal::TooMany)) => return Err(unreachable("it runs no command on a connection")),
        None => return Err(unreachable("its connection is frozen")),
    };
    let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut stderr = child.stderr.take().expect("piped");
    tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
    let near = near?;
    let ends = Arc::new(Mutex::new(Some(PrivateChild { child, carrier, master })));
    let stdout = read_ahead(stdout, ends.clone());
    let guard = PrivateConnection { near: near.clone(), ends };
    Ok(Exclusive { stdin, stdout: Box::new(stdout), socket: near, guard: Box::new(guard) })
}

/// Reads a stream before somebody wants it, because what isn't read would hold up the whole connection; drops `ends`
/// when too much of it waits.
fn read_ahead<E: Send + 'static>(mut stream: ChildOutput, ends: Arc<Mutex<Option<E>>>) -> DuplexStream {
    let (mut ahead, reader) = duplex(AHEAD);
    tokio::spawn(async move {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(n) = stream.read(&mut buffer).await
            && n > 0
        {
            // There's room, or it's over.
            let written = unconstrained(timeout(Duration::ZERO, ahead.write_all(&buffer[..n]))).await;
            if !matches!(written, Ok(Ok(()))) {
                let ended = ends.lock().unwrap().take();
                drop(ended);
                return;
            }
        }
    });
    reader
}

/// A private connection with what runs on it. It ends when this is dropped, or before that.
struct PrivateConnection {
    near: Option<PathBuf>,
    ends: Arc<Mutex<Option<PrivateChild>>>,
}

/// A command and its private connection, which end when dropped.
#[expect(dead_code, reason = "they end when dropped")]
struct PrivateChild {
    child: RemoteChild,
    carrier: Carrier,
    master: Option<EndsMaster>,
}

impl Drop for PrivateConnection {
    fn drop(&mut self) {
        let ended = self.ends.lock().unwrap().take();
        drop(ended);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_read_ahead_to_its_end_and_ends_if_nobody_reads_it() {
        for (printed, ends) in [(1 << 20, false), (AHEAD + 1, true)] {
            let text = std::io::Cursor::new(vec![b'x'; printed]);
            let held = Arc::new(Mutex::new(Some(())));
            let mut reader = read_ahead(Box::new(text), held.clone());
            // Nothing is read before all was printed.
            while Arc::strong_count(&held) > 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(held.lock().unwrap().is_none(), ends);
            let mut read = Vec::new();
            reader.read_to_end(&mut read).await.unwrap();
            assert_eq!(read.len(), printed.min(AHEAD));
        }
    }
}
