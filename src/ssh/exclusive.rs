//! A connection of one's own: for one program, which nothing else shares or keeps.
use super::{
    master,
    openssh::{Openssh, SILENT},
    wrapper,
};
use crate::{
    failure::{Cause, Failure},
    host::Host,
    port::{Exclusive, Remote},
};
use ::openssh::{ForwardType, Session, Socket, Stdio};
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::timeout;

impl Openssh {
    /// Starts a program on a connection of its own, and forwards a socket through the same one.
    pub(super) async fn alone(
        &self,
        host: &Host,
        program: &str,
        args: &[&str],
        socket: Option<&Remote>,
    ) -> Result<Exclusive, Failure> {
        let control = self.base.folder.path(&format!("x{:012x}", rand::random::<u64>() >> 16));
        self.base.start(&control, host, "no").await?;
        let mut guard = Guard {
            config: self.base.config.clone(),
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
        let near = match socket {
            None => None,
            Some(remote) => {
                let near = self.near();
                forward(&session, host, &near, remote).await?;
                Some(near)
            }
        };
        guard.near.clone_from(&near);
        Ok(Exclusive {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            socket: near,
            guard: Box::new((guard, KeptChild(Mutex::new(child)))),
        })
    }
}

pub(super) async fn forward(session: &Session, host: &Host, near: &Path, to: &Remote) -> Result<(), Failure> {
    let far = match to {
        Remote::Tcp(name, port) => Socket::TcpSocket { host: Cow::Borrowed(name), port: *port },
        Remote::Unix(path) => Socket::UnixSocket { path: Cow::Owned(path.into()) },
    };
    let here = Socket::UnixSocket { path: Cow::Borrowed(near) };
    let asked = timeout(SILENT, session.request_port_forward(ForwardType::Local, here, far)).await;
    let why = match asked {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(e)) => e.to_string(),
        Err(_) => "its connection is frozen".to_owned(),
    };
    Err(Failure::new(Cause::Unreachable, format!("nothing can be forwarded through it: {why}")).on(&host.name))
}

/// Holds the channel open.
struct KeptChild(#[expect(dead_code, reason = "it ends when dropped")] Mutex<::openssh::Child<Arc<Session>>>);

/// Ends a connection of one's own.
struct Guard {
    config: PathBuf,
    control: PathBuf,
    host: String,
    near: Option<PathBuf>,
}

impl Drop for Guard {
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
        // One that is frozen does not answer; its connection ends with the keeper's patience.
        let until = Instant::now() + master::ALIVE_WITHIN;
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
