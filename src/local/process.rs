//! One process here, in a session of its own: no terminal, and ended with all that it started.
use super::{Group, Local};
use crate::{
    command::Command,
    event::Stream,
    failure::{Cause, Failure},
    ssh::{Halves, flush, hear},
    world::real::{Ended, Hears},
};
use std::{io, os::unix::process::ExitStatusExt as _, pin::pin, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process,
    sync::Notify,
    time::{sleep, timeout},
};

/// The most that is kept of an output, in bytes: the first and the last half.
pub(super) const KEPT: usize = 1 << 20;

/// How long the outputs of a command that ended are read on: what it left running may hold them open.
const LINGER: Duration = Duration::from_millis(500);

/// Runs a command to its end, to its time limit, or until `stops` tells.
pub async fn run(
    local: &Local,
    command: &Command,
    heard: Option<&Hears<'_>>,
    keep: usize,
    stops: &Notify,
) -> Result<Ended, Failure> {
    // From before the start on, so that no stop is missed.
    let mut stopped = pin!(stops.notified());
    stopped.as_mut().enable();
    let mut child = start(local, command)?;
    let mut group = Group::of(&child);
    let (mut out, mut err) = (Heard::new(Stream::Out, heard, keep), Heard::new(Stream::Err, heard, KEPT));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let (Some(mut stdin), Some(text)) = (stdin, &local.stdin) {
            // A command that does not read to its end closes the pipe: that is its right.
            let _ = stdin.write_all(text.reveal().as_bytes()).await;
        }
    };
    let limit = async {
        match local.timeout {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let ended = {
        let mut through = pin!(async { tokio::join!(out.read(stdout), err.read(stderr), feeding) });
        let mut limit = pin!(limit);
        let mut read = false;
        loop {
            tokio::select! {
                status = child.wait() => {
                    if !read {
                        let _ = timeout(LINGER, through).await;
                    }
                    break Ok(status);
                }
                _ = &mut through, if !read => read = true,
                () = &mut limit => break Err((Cause::TimedOut, format!("took longer than {} s", local.timeout.unwrap_or_default().as_secs_f64()))),
                () = &mut stopped => break Err((Cause::Failed, "was interrupted".to_owned())),
            }
        }
    };
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
            // What it said last is told all the same.
            out.done();
            err.done();
            Err(Failure::new(cause, format!("{shown} {why} and was stopped")))
        }
    }
}

fn start(local: &Local, command: &Command) -> Result<process::Child, Failure> {
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
    // What a process of one's own has in its environment, nobody else sees.
    let secrets = command.secrets().iter().map(|(name, value)| (name, value));
    process.envs(local.env.iter().chain(secrets).map(|(name, value)| (name, value.reveal())));
    // SAFETY: between fork and exec only setsid is called, which is async-signal-safe.
    unsafe { process.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
    process.spawn().map_err(|e| {
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

/// One output of a process, heard line by line and kept in bounds.
struct Heard<'a> {
    stream: Stream,
    heard: Option<&'a Hears<'a>>,
    line: Vec<u8>,
    kept: Halves,
}

impl<'a> Heard<'a> {
    fn new(stream: Stream, heard: Option<&'a Hears<'a>>, keep: usize) -> Self {
        Self { stream, heard, line: Vec::new(), kept: Halves::new(keep) }
    }

    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut piece = vec![0; 32 << 10];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            self.kept.push(&piece[..read]);
            hear(&mut self.line, &piece[..read], self.stream, self.heard);
        }
    }

    fn done(mut self) -> (Vec<u8>, bool) {
        flush(&mut self.line, self.stream, self.heard);
        self.kept.into_bytes()
    }
}
