//! Commands on hosts, and what else a connection to a host carries.
use crate::{
    command::Command,
    event::Stream,
    failure::Failure,
    host::{Host, Name},
};
use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Reaches the hosts of one fleet.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Opens the connection to a host; every later call shares it.
    ///
    /// `Unreachable` when the host is dead, mute, or its key is unknown or changed.
    async fn connect(&self, host: &Host) -> Result<(), Failure>;

    /// Runs a command on a host under the wrapper.
    ///
    /// A command that ends with a status other than 0 is no failure here. `Unknown` when the command may have
    /// run but nobody can tell how it ended.
    async fn run(&self, host: &Host, job: Job<'_>) -> Result<Ended, Failure>;

    /// Gives a unix socket here that leads to `to` as the host sees it; the same one each time.
    async fn forward(&self, host: &Host, to: &Remote) -> Result<PathBuf, Failure>;

    /// Opens a connection that is shared with nobody, and runs `program` (POSIX sh, with `args` as `$1`…) on it.
    ///
    /// With `socket`, that is forwarded through the same connection.
    async fn exclusive(
        &self,
        host: &Host,
        program: &str,
        args: &[&str],
        socket: Option<&Remote>,
    ) -> Result<Exclusive, Failure>;

    /// Tells how a call that left its trace on a host stands.
    async fn traced(&self, host: &Host, trace: &Trace) -> Result<Traced, Failure>;

    /// Lends the person's terminal to a line on a host until it ends, and gives its exit status.
    ///
    /// `Failed` without a terminal.
    async fn terminal(&self, host: &Host, line: &str) -> Result<i32, Failure>;

    /// Ends the remote process groups of this run's calls that are still under way.
    async fn stop_all(&self);
}

/// Where a forward leads, as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    Tcp(String, u16),
    Unix(String),
}

/// A connection of one's own, and the program on it. It ends when this is dropped.
pub struct Exclusive {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// The near end of the forwarded socket.
    pub socket: Option<PathBuf>,
    /// Closes the connection when dropped.
    pub guard: Box<dyn Send + Sync>,
}

/// Hears each line of a command's output as it comes.
pub type Hears<'a> = dyn Fn(Stream, &str) + Send + Sync + 'a;

/// Takes a command's output, byte for byte, as it comes.
pub type Takes<'a> = dyn Fn(&[u8]) + Send + Sync + 'a;

/// One command on a host.
pub struct Job<'a> {
    pub command: &'a Command,
    /// The user it runs as, through sudo; `None` is the login user.
    pub user: Option<Name>,
    pub cd: Option<String>,
    pub env: Vec<(String, String)>,
    /// Under what name the wrapper keeps pid and exit status on the host, in which folder.
    pub trace: Option<Trace>,
    /// What the wrapper writes into a ledger on the host, before and after.
    pub note: Option<Note>,
    pub stdin: Input<'a>,
    /// The whole of it; a command that is not done by then is stopped.
    pub timeout: Option<Duration>,
    /// Hears each line as it comes; not filtered yet.
    pub heard: Option<&'a Hears<'a>>,
    /// The most that is kept of its output, in bytes: the first and the last half.
    pub keep: usize,
    /// Takes its output, which is not kept then.
    pub into: Option<&'a Takes<'a>>,
    /// Asked now and then whether it shall be stopped; then it ends with [`Job::STOPPED`].
    pub until: Option<&'a (dyn Fn() -> bool + Send + Sync)>,
}

impl<'a> Job<'a> {
    /// What a command ends with that was stopped because nobody wants it any more.
    pub const STOPPED: i32 = 130;

    /// A command with nothing around it.
    pub fn new(command: &'a Command) -> Self {
        Self {
            command,
            user: None,
            cd: None,
            env: Vec::new(),
            trace: None,
            note: None,
            stdin: Input::Empty,
            timeout: None,
            heard: None,
            keep: 1 << 20,
            into: None,
            until: None,
        }
    }

    /// The same command once more.
    pub fn again(&self) -> Job<'a> {
        let Job { command, stdin, timeout, heard, keep, into, until, .. } = *self;
        let (user, cd, env) = (self.user.clone(), self.cd.clone(), self.env.clone());
        Job {
            command,
            user,
            cd,
            env,
            trace: self.trace.clone(),
            note: self.note.clone(),
            stdin,
            timeout,
            heard,
            keep,
            into,
            until,
        }
    }
}

/// Where a call leaves its identity on the host, so that it can be found again.
#[derive(Clone, Debug)]
pub struct Trace {
    /// `[A-Za-z0-9._-]+`
    pub id: String,
    /// Made if it is missing.
    pub folder: String,
}

/// How a call stands on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traced {
    NeverStarted,
    Running,
    Ended(i32),
    /// It began, runs no more, and nobody wrote down how it ended.
    Lost,
}

/// Lines for a ledger on a host, in the same round trip as the change.
#[derive(Clone, Debug)]
pub struct Note {
    pub file: String,
    /// Appended and synced before the command; without line end.
    pub intent: String,
    /// Appended after it, by how it ended. `@STATUS@` stands for the exit status.
    pub ok: String,
    pub failed: String,
}

/// What a command reads.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    Empty,
    Bytes(&'a [u8]),
    /// A file here, with who hears how far it is: bytes done, bytes in all.
    File(&'a Path, &'a (dyn Fn(u64, u64) + Send + Sync)),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ended {
    pub status: i32,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// Whether bytes of the middle were left out.
    pub cut: bool,
}
