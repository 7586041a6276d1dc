//! A private connection for one program, which nothing else shares or keeps.
use super::{
    connection::{ALIVE_WITHIN, Connections, SILENT},
    forwards::forward,
    wrapper,
};
use crate::{
    failure::{Cause, Failure},
    host::Host,
    port::{Exclusive, Remote},
};
use openssh::{Session, Stdio};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Starts a program on a private connection, and forwards a socket through the same connection.
pub(super) async fn exclusive(
    connections: &Connections,
    host: &Host,
    program: &str,
    args: &[&str],
    socket: Option<&Remote>,
) -> Result<Exclusive, Failure> {
    let base = &connections.base;
    let control = base.folder.path(&format!("x{:012x}", rand::random::<u64>() >> 16));
    connections.start(&control, host, false).await?;
    let mut guard = EndsConnection {
        config: base.config.clone(),
        control: control.clone(),
        host: host.address().to_owned(),
        near: None,
    };
    let session = Arc::new(Session::resume_mux(control.into(), None));
    let line = wrapper::bare(program, args)?;
    let unreachable = |why: &str| {
        let message = format!("can't be reached: {why}");
        Failure::new(Cause::Unreachable, message).on(&host.name)
    };
    let mut command = session.clone().arc_raw_command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = timeout(SILENT, command.spawn()).await.map_err(|_| unreachable("its connection is frozen"))?;
    let mut child = child.map_err(|e| unreachable(&format!("its connection broke: {e}")))?;
    let (stdin, stdout) = (child.stdin().take().expect("piped"), child.stdout().take().expect("piped"));
    if let Some(remote) = socket {
        guard.near = Some(forward(&base.folder, &session, host, remote).await?);
    }
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
