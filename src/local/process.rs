//! Runs a process on this machine in its own session: it has no terminal and ends with all that it started.
use super::{LocalCall, ProcessGroup, heard::HeardOutput};
use crate::{
    command::Command,
    duration,
    event::Stream,
    failure::{Cause, Failure},
    port::{Ended, LineSink},
};
use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    pin::{Pin, pin},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt as _,
    process,
    sync::{Notify, futures::Notified},
    time::{sleep, timeout},
};

/// The most that is kept of an output, in bytes: the first and the last half of it.
pub(super) const KEPT: usize = 1 << 20;

/// How long the outputs are read after the command ends. Processes that it left running may hold them open.
const LINGER: Duration = Duration::from_millis(500);

/// Runs a command until it ends, reaches its time limit, or `stops` is notified.
pub async fn run(
    local: &LocalCall,
    command: &Command,
    heard: Option<&LineSink<'_>>,
    keep: usize,
    stops: &Notify,
) -> Result<Ended, Failure> {
    // This starts before the command, so that no stop is missed.
    let mut stopped = pin!(stops.notified());
    stopped.as_mut().enable();
    let (mut child, mut group) = start(local, command)?;
    let (mut out, mut err) = (HeardOutput::new(Stream::Out, heard, keep), HeardOutput::new(Stream::Err, heard, KEPT));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let (Some(mut stdin), Some(text)) = (stdin, &local.stdin) {
            // A command may close its input before it has read everything.
            let _ = stdin.write_all(text.reveal().as_bytes()).await;
        }
    };
    let through = async {
        tokio::join!(out.read(stdout), err.read(stderr), feeding);
    };
    let ended = waited(&mut child, through, local.timeout, stopped).await;
    let shown = local.shown(command);
    match ended {
        Ok(status) => {
            group.let_go();
            let status = status.map_err(|e| Failure::unknown(format!("rfab can't tell how {shown} ended: {e}")))?;
            let status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
            let ((out, cut), (err, _)) = (out.done(), err.done());
            Ok(Ended { status, out, err, cut })
        }
        Err((cause, why)) => {
            group.end(&mut child).await;
            // Its last line is printed all the same.
            out.done();
            err.done();
            Err(Failure::new(cause, format!("{shown} {why} and was stopped")))
        }
    }
}

/// Waits for a process to end and reads its outputs; otherwise says why to stop it.
async fn waited(
    child: &mut process::Child,
    through: impl Future<Output = ()>,
    within: Option<Duration>,
    mut stopped: Pin<&mut Notified<'_>>,
) -> Result<io::Result<ExitStatus>, (Cause, String)> {
    let mut through = pin!(through);
    let mut limit = pin!(async {
        match within {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    });
    let mut read = false;
    loop {
        tokio::select! {
            status = child.wait() => {
                if !read {
                    let _ = timeout(LINGER, through).await;
                }
                return Ok(status);
            }
            _ = &mut through, if !read => read = true,
            () = &mut limit => {
                let within = duration::limit(within.unwrap_or_default());
                return Err((Cause::TimedOut, format!("took longer than {within}")));
            }
            () = &mut stopped => return Err((Cause::Failed, "was interrupted".to_owned())),
        }
    }
}

fn start(local: &LocalCall, command: &Command) -> Result<(process::Child, ProcessGroup), Failure> {
    let wrong = |message| Failure::new(Cause::Fabfile, message);
    let folder = local.folder.join(local.cd.as_deref().unwrap_or_default());
    if !folder.is_dir() {
        let shown = local.cd.as_deref().unwrap_or_default();
        let failure = wrong(format!("there is no folder `{shown}` here to run {} in", local.shown(command)));
        return Err(failure.help("name the folder relative to the fabfile's folder"));
    }
    let words = command.argv();
    let (program, arguments) = (&words[0], &words[1..]);
    let stdin = if local.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut process = process::Command::new(program);
    process.args(arguments).current_dir(folder).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Other users can't see the environment of this user's process.
    let secrets = command.secrets().iter().map(|(name, value)| (name, value));
    process.envs(local.env.iter().chain(secrets).map(|(name, value)| (name, value.reveal())));
    ProcessGroup::start(&mut process).map_err(|e| {
        let failure = Failure::failed(match e.kind() {
            io::ErrorKind::NotFound => format!("there is no program `{program}` on this machine"),
            io::ErrorKind::PermissionDenied => format!("`{program}` isn't executable on this machine"),
            _ => format!("{} can't be run: {e}", local.shown(command)),
        });
        match e.kind() {
            io::ErrorKind::NotFound => failure.help("install it, or write its path relative to the fabfile's folder"),
            io::ErrorKind::PermissionDenied => failure.help(format!("make it executable: `chmod +x {program}`")),
            _ => failure,
        }
    })
}
