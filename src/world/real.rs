//! The real world's parts, as traits that the domains implement and `run` wires together.
pub use super::reading::Shared;
use super::{Alone, Work, World, threads};
use crate::{
    balancer::driver::Driver,
    command::Command,
    effect::{Answered, At, Call, Lane},
    event::Stream,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    ledger::Book,
    model::Time,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
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

/// Hears a line for people.
pub type Says<'a> = dyn for<'x> Fn(&'x str) + Send + Sync + 'a;

/// How a run waits for a lock that somebody else has.
#[derive(Clone, Copy)]
pub struct Waits<'a> {
    /// Hears who has it.
    pub says: &'a Says<'a>,
    /// Tells when nobody wants to wait any more.
    pub stops: &'a (dyn Fn() -> bool + Send + Sync),
}

/// The lock of a fleet, its balancers, and what is written down in its state folders.
///
/// A fleet without balancers keeps lock and state on its first host in name order.
#[async_trait]
pub trait Balancing: Send + Sync {
    /// Takes the lock on every balancer host, in name order; with `wait`, waits and says who has it.
    ///
    /// `say` hears a way that is not the usual one. `Locked` when another operator holds it, `Interrupted` when the wait
    /// was stopped.
    async fn lock(&self, holder: &Holder, wait: Option<Waits<'_>>, say: &Says<'_>) -> Result<(), Failure>;

    /// Asks each keeper of the lock whether it still holds it.
    ///
    /// `Unknown` when one does not, or does not answer.
    async fn held(&self) -> Result<(), Failure>;

    /// Gives the lock back, if it is held.
    async fn unlock(&self);

    /// Speaks to a balancer: through the keeper while the lock is held.
    async fn driver(&self, balancer: &Name) -> Result<Arc<dyn Driver>, Failure>;

    /// Appends lines to a file of the state folder on a balancer's host, synced. Needs the lock.
    async fn note_all(&self, place: &Name, file: &str, lines: &[&str]) -> Result<(), Failure>;

    /// Appends one line.
    async fn note(&self, place: &Name, file: &str, line: &str) -> Result<(), Failure> {
        self.note_all(place, file, &[line]).await
    }

    /// Reads the ledger of a state folder; empty if it is not there. Under the lock it is read once.
    async fn book(&self, place: &Name) -> Result<Arc<Book>, Failure>;
}

/// Who holds a lock, for people to read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    pub who: String,
    pub from: String,
    pub run: String,
    /// The command line's normal form.
    pub line: String,
    pub since: String,
}

/// The person before the terminal, if there is one.
pub trait Person: Send + Sync {
    /// Asks a question that is answered with yes or no; `None` without a person.
    fn confirm(&self, question: &str) -> Option<bool>;

    /// Whether the person wants the run to end.
    fn stops(&self) -> bool {
        false
    }

    /// What tells this terminal from others; `None` without one.
    fn terminal(&self) -> Option<String>;

    /// Asks for a text; what is typed is not shown if it is secret. `None` without a person.
    fn ask(&self, question: &str, secret: bool) -> Option<String>;

    /// Whether the person has asked for the run's end.
    fn wants_end(&self) -> bool {
        false
    }

    /// Gives the terminal away while `take` runs, which nothing else is shown on meanwhile; without one it does not run.
    fn lend(&self, take: &mut dyn FnMut(&std::fs::File));
}

/// One fleet's parts.
pub struct Connections {
    pub fleet: Arc<Fleet>,
    pub transport: Arc<dyn Transport>,
    pub balancing: Arc<dyn Balancing>,
    /// What its balancers said last.
    pub balance: Shared,
}

/// What effects are carried out with.
pub struct Real {
    pub person: Arc<dyn Person>,
    /// A folder of rfab's own here, for packed trees and mirrors.
    pub cache: PathBuf,
    /// Trees that this run packed.
    pub packed: Arc<crate::release::PackedTrees>,
    /// Whether repositories are fetched from before a name is resolved.
    pub fetch: bool,
    /// Tells what runs here to end, whatever it is about.
    pub stops: tokio::sync::Notify,
    /// What inventories printed in this run, by their commands.
    pub printed: tokio::sync::Mutex<BTreeMap<String, String>>,
    /// How servers stand that nobody can ask by program, as a person said in this run: by fleet, balancer and host.
    pub said: tokio::sync::Mutex<BTreeMap<(Name, Name, Name), crate::effect::Admin>>,
    build: Build,
    sites: Mutex<BTreeMap<Name, Arc<Connections>>>,
}

type Build = Box<dyn Fn(&Arc<Fleet>) -> Result<Connections, Failure> + Send + Sync>;

impl Real {
    pub fn new(person: Arc<dyn Person>, cache: PathBuf, fetch: bool, build: Build) -> Self {
        let (packed, stops) = (Arc::default(), tokio::sync::Notify::new());
        let (printed, said) = (tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
        Self { person, cache, packed, fetch, stops, printed, said, build, sites: Mutex::default() }
    }

    /// The parts of a fleet that was admitted.
    pub fn site(&self, fleet: &Name) -> Arc<Connections> {
        self.sites.lock().unwrap().get(fleet).expect("hosts come from fleets that were admitted").clone()
    }

    pub fn sites(&self) -> Vec<Arc<Connections>> {
        self.sites.lock().unwrap().values().cloned().collect()
    }
}

/// The real world: a runtime, threads, and the parts of each fleet.
pub struct RealWorld {
    pub real: Real,
    runtime: tokio::runtime::Runtime,
    began: Instant,
    held: threads::Held,
}

impl RealWorld {
    pub fn new(real: Real, runtime: tokio::runtime::Runtime) -> Self {
        Self { real, runtime, began: Instant::now(), held: threads::Held::default() }
    }

    /// Lets something go on beside the run.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(future);
    }

    /// Waits for something of the runtime's.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl World for RealWorld {
    fn name(&self) -> &'static str {
        "real"
    }

    fn admit(&self, fleet: &Arc<Fleet>) -> Result<(), Failure> {
        let mut sites = self.real.sites.lock().unwrap();
        if !sites.contains_key(&fleet.name) {
            let _runtime = self.runtime.enter();
            sites.insert(fleet.name.clone(), Arc::new((self.real.build)(fleet)?));
        }
        Ok(())
    }

    fn perform(&self, call: Call<'_>) -> Answered {
        let at = At { real: &self.real, lane: call.lane, id: call.id(), notes: call.notes };
        self.runtime.block_on(call.effect.carry_out(at))
    }

    fn side_by_side(&self, _: &Arc<Lane>, lanes: Vec<(Arc<Lane>, Work)>, at_once: usize) {
        threads::run(lanes.into_iter().map(|(_, work)| work).collect(), at_once);
    }

    fn alone<'a>(&'a self, _: Call<'a>, what: &str) -> Alone<'a> {
        self.held.alone(what)
    }

    fn now(&self, _: &Lane) -> Time {
        self.began.elapsed().as_millis() as Time
    }
}
