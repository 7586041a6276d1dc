//! Runs commands on hosts, and uses what else a connection to a host carries.
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
    /// Opens the connection to a host. All later calls share it.
    ///
    /// Fails with `Unreachable` if the host is down or silent, or its key is unknown or changed.
    async fn connect(&self, host: &Host) -> Result<(), Failure>;

    /// Runs a command on a host under the wrapper.
    ///
    /// A status other than 0 isn't a failure here. Fails with `Unknown` if the command may have run, but rfab can't
    /// tell how it ended.
    async fn run(&self, host: &Host, job: Job<'_>) -> Result<Ended, Failure>;

    /// Returns a Unix socket on this machine that leads to `to` on the host. It's the same one each time.
    async fn forward(&self, host: &Host, to: &Remote) -> Result<PathBuf, Failure>;

    /// Opens a separate connection, and runs `program` (POSIX sh, with `args` as `$1`…) on it.
    ///
    /// `socket`, if there is one, is forwarded through the same connection.
    async fn exclusive(
        &self,
        host: &Host,
        program: &str,
        args: &[&str],
        socket: Option<&Remote>,
    ) -> Result<Exclusive, Failure>;

    /// Begins to log in for the next `exclusive` on a host. That then takes less time.
    fn foresee(&self, _host: &Host) {}

    /// Says that a host will run one command, so that nothing has to be prepared for further ones.
    fn expect_single(&self, _host: &Host) {}

    /// Returns the state of a call that left its trace on a host.
    async fn traced(&self, host: &Host, trace: &Trace) -> Result<Traced, Failure>;

    /// Lends the person's terminal to a command line on a host until it ends, and returns its exit status.
    ///
    /// Fails with `Failed` without a terminal.
    async fn terminal(&self, host: &Host, line: &str) -> Result<i32, Failure>;

    /// Returns the hosts that are reached by another client than the one that was asked for, each with the reason; each
    /// is returned once.
    fn fallbacks(&self) -> Vec<(Name, String)> {
        Vec::new()
    }

    /// Ends the remote process groups of this run's calls that are still running.
    async fn stop_all(&self);
}

/// The target of a forward, as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remote {
    Tcp(String, u16),
    Unix(String),
}

/// A separate connection, and the program on it. It ends when this is dropped.
pub struct Exclusive {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// The forwarded socket on this machine.
    pub socket: Option<PathBuf>,
    /// Closes the connection when dropped.
    pub guard: Box<dyn Send + Sync>,
}

/// Receives each line of a command's output as it arrives.
pub type LineSink<'a> = dyn Fn(Stream, &str) + Send + Sync + 'a;

/// Receives a command's output as it arrives, byte for byte.
pub type ByteSink<'a> = dyn Fn(&[u8]) + Send + Sync + 'a;

/// A command on a host.
pub struct Job<'a> {
    pub command: &'a Command,
    /// The user that it runs as, through sudo; `None` is the login user.
    pub user: Option<Name>,
    pub cd: Option<String>,
    pub env: Vec<(String, String)>,
    /// The id and folder under which the wrapper keeps pid and exit status on the host.
    pub trace: Option<Trace>,
    /// The lines that the wrapper writes into a ledger on the host, before and after.
    pub ledger: Option<LedgerLines>,
    /// Whether it may change what a login shell reads, such as a start-up file, because a script says what it does.
    pub changes_logins: bool,
    /// Whether its text travels compressed, because the host has gzip and the text is long.
    pub packs: bool,
    pub stdin: Input<'a>,
    /// The limit for the whole command, which is stopped after that.
    pub timeout: Option<Duration>,
    /// Receives each line as it arrives, unfiltered.
    pub heard: Option<&'a LineSink<'a>>,
    /// The most that is kept of its output, in bytes: the first and the last half of it.
    pub keep: usize,
    /// Receives its output, which isn't kept then.
    pub into: Option<&'a ByteSink<'a>>,
    /// Returns whether to stop it; asked from time to time. It then ends with [`Job::STOPPED`].
    pub until: Option<&'a (dyn Fn() -> bool + Send + Sync)>,
}

impl<'a> Job<'a> {
    /// The status of a command that was stopped because `until` asked for it.
    pub const STOPPED: i32 = 130;

    /// Builds a plain command without settings.
    pub fn new(command: &'a Command) -> Self {
        Self {
            command,
            user: None,
            cd: None,
            env: Vec::new(),
            trace: None,
            ledger: None,
            changes_logins: false,
            packs: false,
            stdin: Input::Empty,
            timeout: None,
            heard: None,
            keep: 1 << 20,
            into: None,
            until: None,
        }
    }

    /// Returns the same command again.
    pub fn again(&self) -> Job<'a> {
        let Job { command, changes_logins, packs, stdin, timeout, heard, keep, into, until, .. } = *self;
        let (user, cd, env) = (self.user.clone(), self.cd.clone(), self.env.clone());
        Job {
            command,
            user,
            cd,
            env,
            trace: self.trace.clone(),
            ledger: self.ledger.clone(),
            changes_logins,
            packs,
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
    /// Created if it's missing.
    pub folder: String,
}

/// The state of a call on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Traced {
    NeverStarted,
    Running,
    Ended(i32),
    /// It began and is over, but nothing recorded how it ended.
    Lost,
}

/// Lines for a ledger on a host, written in the same round trip as the change.
#[derive(Clone, Debug)]
pub struct LedgerLines {
    pub file: String,
    /// Appended and synced before the command; it has no line end.
    pub intent: String,
    /// Appended after the command succeeds. `@STATUS@` stands for the exit status.
    pub ok: String,
    pub failed: String,
}

/// The input of a command.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    Empty,
    Bytes(&'a [u8]),
    /// A file on this machine, and a receiver of the progress: bytes done, bytes in total.
    File(&'a Path, &'a (dyn Fn(u64, u64) + Send + Sync)),
    /// Bytes that this machine is still making, and the same receiver; the total is 0 as long as it isn't known.
    Growing(&'a dyn Growing, &'a (dyn Fn(u64, u64) + Send + Sync)),
}

/// Bytes that this machine is still making. Each of their readers has its own pace.
#[async_trait]
pub trait Growing: Send + Sync {
    /// Returns some of the bytes from a place on, and waits for them; returns none at their end.
    ///
    /// Fails if no more can be made.
    async fn read(&self, from: u64) -> std::io::Result<Vec<u8>>;

    /// Returns how many bytes there are in total, if all are made.
    fn total(&self) -> Option<u64>;
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ended {
    pub status: i32,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// Whether bytes in the middle were left out.
    pub cut: bool,
}
