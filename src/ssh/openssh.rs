//! Hosts of one fleet, reached by OpenSSH.
use super::{
    config::{self, Config},
    folder::Folder,
    heard::{Stdout, Trailer, flush, hear},
    input::{feed, readable},
    link::{Link, until_frozen},
    master,
    sudo::{Answer, Held, refused as sudo_refused},
    wrapper::{self, Sudo},
};
use crate::{
    command::Command,
    event::Stream,
    failure::{Failure, Reason},
    fleet::Fleet,
    host::{Host, Name},
    secret::Secret,
    world::real::{Ended, Exclusive, Job, Person, Remote, Trace, Traced, Transport},
};
use ::openssh::{ForwardType, Session, Socket, Stdio};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, sync::OnceCell, time::timeout};

/// How long a dead peer may go unnoticed; ssh itself gives up after 15 s.
const SILENT: Duration = Duration::from_secs(20);

/// How often it is asked whether a command is still wanted.
const WANTED: Duration = Duration::from_millis(200);

/// How often it is told how far a file is.
pub const PROGRESS: Duration = Duration::from_millis(250);

/// The near end of a forward, once it is there.
type Near = Arc<OnceCell<PathBuf>>;

/// The transport of a fleet.
pub struct Openssh {
    folder: Folder,
    config: PathBuf,
    /// Tells the sockets of one configuration from those of another.
    digest: String,
    /// The app's user, who owns the ledgers on hosts.
    owner: Option<Name>,
    pub(super) person: Arc<dyn Person>,
    links: Mutex<BTreeMap<Name, Arc<Link>>>,
    forwards: Mutex<HashMap<(Name, Remote), Near>>,
    /// What a person answered when sudo asked, by host.
    pub(super) passwords: tokio::sync::Mutex<BTreeMap<Name, Answer>>,
    /// Process groups of calls that are under way.
    running: Mutex<BTreeSet<(Name, u32, Option<Name>)>>,
    /// How often all of them were stopped.
    halts: AtomicU32,
    hosts: BTreeMap<Name, Host>,
}

impl Openssh {
    /// Writes the configuration for a fleet. Nothing is connected to.
    pub fn new(
        fleet: &Fleet,
        project: &Path,
        home: &Path,
        runtime: Option<&Path>,
        person: Arc<dyn Person>,
    ) -> Result<Self, Failure> {
        let folder = Folder::make(runtime)?;
        let Config { text, digest } = config::make(Some(fleet), project, home)?;
        let config = folder.write(&format!("{digest}.conf"), &text)?;
        let hosts = fleet.hosts.iter().cloned().chain(fleet.balancers.iter().map(|b| b.host.clone()));
        Ok(Self {
            folder,
            config,
            digest,
            owner: fleet.app.as_ref().and_then(|app| app.user.clone()).filter(|u| Some(u) != fleet.user.as_ref()),
            person,
            links: Mutex::default(),
            forwards: Mutex::default(),
            passwords: Default::default(),
            running: Mutex::default(),
            halts: AtomicU32::default(),
            hosts: hosts.map(|h| (h.name.clone(), h)).collect(),
        })
    }

    /// A socket's name: short, for their paths may have some hundred characters only.
    fn socket(&self, what: &str) -> PathBuf {
        let name = hex::encode(&Sha256::digest(what.as_bytes())[..8]);
        self.folder.path(&format!("{}-{name}", self.digest))
    }

    async fn session(&self, host: &Host) -> Result<Arc<Session>, Failure> {
        let link = self.links.lock().unwrap().entry(host.name.clone()).or_default().clone();
        link.session(&self.folder, &self.config, &self.socket(host.address()), host).await
    }

    /// Runs a line; what is known of its end is in the answer.
    async fn spawn(
        &self,
        host: &Host,
        line: String,
        job: &Job<'_>,
        mark: &str,
        first: &[u8],
    ) -> Result<Ended, Failure> {
        readable(&job.stdin)?;
        let (session, halts) = (self.session(host).await?, self.halts.load(SeqCst));
        let mut command = session.clone().arc_raw_command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match timeout(SILENT, command.spawn()).await {
            Ok(Ok(child)) => child,
            Ok(Err(e)) => return Err(cut_off(host, job, &format!("its connection broke: {e}"))),
            Err(_) => return Err(cut_off(host, job, "its connection is frozen")),
        };
        let mut stdin = child.stdin().take();
        let (mut stdout, mut stderr) = (child.stdout().take().expect("piped"), child.stderr().take().expect("piped"));
        let mut out = Stdout::new(mark, job.keep, job.heard).into(job.into);
        let (mut err, mut line) = (super::heard::Halves::new(job.keep.min(1 << 20)), Vec::new());
        let feeding = feed(&mut stdin, first, &job.stdin);
        let reading = async {
            let (mut a, mut b) = (vec![0; 32 << 10], vec![0; 8 << 10]);
            let (mut out_open, mut err_open) = (true, true);
            while out.trailer.is_none() && (out_open || err_open) {
                tokio::select! {
                    n = stdout.read(&mut a), if out_open => match n {
                        Ok(n) if n > 0 => {
                            let known = out.pid.is_some();
                            out.push(&a[..n]);
                            if !known && let Some(pid) = out.pid {
                                self.running.lock().unwrap().insert((host.name.clone(), pid, job.user.clone()));
                                // Whoever stopped all did not know of it yet.
                                if self.halts.load(SeqCst) != halts {
                                    self.stop(host, pid, job.user.as_ref()).await;
                                }
                            }
                        }
                        _ => out_open = false,
                    },
                    n = stderr.read(&mut b), if err_open => match n {
                        Ok(n) if n > 0 => {
                            err.push(&b[..n]);
                            hear(&mut line, &b[..n], Stream::Err, job.heard);
                        }
                        _ => err_open = false,
                    },
                }
            }
            // What a command said last on stderr may come behind the trailer.
            while err_open
                && let Ok(Ok(n)) = timeout(Duration::from_millis(20), stderr.read(&mut b)).await
                && n > 0
            {
                err.push(&b[..n]);
                hear(&mut line, &b[..n], Stream::Err, job.heard);
            }
        };
        let both = async {
            tokio::pin!(feeding, reading);
            let (mut frozen, mut unwanted) = (pin!(until_frozen(&session)), pin!(unwanted(job.until)));
            let mut fed = false;
            loop {
                tokio::select! {
                    read = &mut feeding, if !fed => match read {
                        Ok(()) => fed = true,
                        Err(e) => return Over::Unread(e),
                    },
                    () = &mut reading => return Over::Ended,
                    () = &mut frozen => return Over::Ended,
                    () = &mut unwanted => return Over::Unwanted,
                }
            }
        };
        let over = match job.timeout {
            Some(limit) => timeout(limit, both).await.unwrap_or(Over::Late(limit)),
            None => both.await,
        };
        out.finish();
        flush(&mut line, Stream::Err, job.heard);
        let pid = out.pid.unwrap_or(0);
        self.running.lock().unwrap().remove(&(host.name.clone(), pid, job.user.clone()));
        let why = match over {
            Over::Ended => None,
            Over::Late(limit) => Some(format!("the command took longer than {} s", limit.as_secs_f64())),
            // Its input was not closed, so that it did not take a part for the whole.
            Over::Unread(e) => Some(format!("what the command reads cannot be read here any more ({e})")),
            Over::Unwanted => Some("the command was not wanted any more".to_owned()),
        };
        if let Some(why) = why {
            return match self.stop(host, pid, job.user.as_ref()).await {
                true if job.until.is_some_and(|until| until()) => {
                    Ok(Ended { status: Job::STOPPED, out: out.kept.into_bytes().0, err: Vec::new(), cut: false })
                }
                true => Err(Failure::failed(format!("host `{host}`: {why} and was stopped")).on(&host.name)),
                false => Err(Failure::unknown(format!("host `{host}`: {why}, and nobody knows whether it still runs"))
                    .on(&host.name)),
            };
        }
        let trailer = out.trailer.take();
        let (out, cut) = out.kept.into_bytes();
        let (err, _) = err.into_bytes();
        match trailer {
            Some(Trailer::Status(status)) => Ok(Ended { status, out, err, cut }),
            Some(Trailer::LedgerAfter(status)) => Err(Failure::unknown(format!(
                "host `{host}`: the command ended with status {status}, but the ledger could not be written"
            ))
            .on(&host.name)),
            Some(Trailer::Refused(what)) if what == "ledger" => Ok(Ended { status: UNWRITTEN, out, err, cut }),
            Some(Trailer::Refused(what)) => Err(not_begun(host, &what, job)),
            // Without the wrapper's first line nothing was begun: sudo, or the login shell, ended it.
            None if pid == 0 && !err.is_empty() && has_exited(child).await => {
                Ok(Ended { status: NOT_BEGUN, out, err, cut })
            }
            None => Err(cut_off(host, job, "its connection ended first")),
        }
    }

    /// Ends a process group on a host: politely, then not.
    async fn stop(&self, host: &Host, pid: u32, user: Option<&Name>) -> bool {
        if pid == 0 {
            return false;
        }
        // Not `kill -TERM -- -1`: neither dash nor busybox takes the `--`.
        let text = r#"kill -TERM "-$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "-$pid" 2>/dev/null || exit 0; sleep 0.2; done
kill -KILL "-$pid" 2>/dev/null
sleep 0.2
! kill -0 "-$pid" 2>/dev/null"#;
        let command = Command::line(text, vec![("pid".into(), pid.to_string())]).expect("a good line");
        let job = Job { user: user.cloned(), ..Job::new(&command) };
        let run = Box::pin(self.run(host, job));
        matches!(timeout(Duration::from_secs(10), run).await, Ok(Ok(Ended { status: 0, .. })))
    }
}

/// A call that may have begun, and that nobody heard the end of.
fn cut_off(host: &Host, job: &Job<'_>, why: &str) -> Failure {
    // What leaves a trace may have changed something; the rest can be done again.
    match job.trace.is_some() || job.note.is_some() {
        true => Failure::unknown(format!("host `{host}`: nobody knows how the command ended: {why}"))
            .on(&host.name)
            .help("look on the host before it is done again"),
        false => master::unreachable(host, why),
    }
}

/// Statuses that no command can have: it was not begun; it was not, because the ledger cannot be written.
pub const NOT_BEGUN: i32 = -1;
pub const UNWRITTEN: i32 = -2;

/// Whether the host said with which status a line ended; a connection that broke says nothing.
async fn has_exited(child: ::openssh::Child<Arc<Session>>) -> bool {
    use ::openssh::Error::Remote;
    matches!(timeout(Duration::from_secs(2), child.wait()).await, Ok(Ok(_) | Err(Remote(_))))
}

/// Why nobody listens to a command any more.
enum Over {
    /// It ended, or its connection did.
    Ended,
    Late(Duration),
    Unread(std::io::Error),
    Unwanted,
}

/// Comes to its end when a command is not wanted any more.
async fn unwanted(until: Option<&(dyn Fn() -> bool + Send + Sync)>) {
    let Some(until) = until else { return std::future::pending().await };
    while !until() {
        tokio::time::sleep(WANTED).await;
    }
}

fn not_begun(host: &Host, what: &str, job: &Job<'_>) -> Failure {
    let message = match what {
        "folder" => {
            format!("host `{host}`: there is no folder `{}` to run it in", job.cd.as_deref().unwrap_or_default())
        }
        "ledger" => format!("host `{host}`: its ledger cannot be written, so nothing was done"),
        "trace" => format!("host `{host}`: the state folder cannot be made, so nothing was done"),
        other => format!("host `{host}`: the command was not begun: {}", other.escape_debug()),
    };
    Failure::failed(message).on(&host.name)
}

#[async_trait]
impl Transport for Openssh {
    async fn connect(&self, host: &Host) -> Result<(), Failure> {
        self.session(host).await.map(drop)
    }

    async fn run(&self, host: &Host, job: Job<'_>) -> Result<Ended, Failure> {
        let mark = format!("rfab-{:016x}", rand::random::<u64>());
        let once = async |heard, sudo: Sudo, password: Option<&Secret>| {
            let job = Job { heard, ..job.again() };
            let line = wrapper::line(&job, &mark, self.owner.as_ref(), sudo)?;
            let mut first = password.map(|p| p.line()).unwrap_or_default();
            first.extend(wrapper::given(&job));
            self.spawn(host, line, &job, &mark, &first).await
        };
        let Some(user) = &job.user else { return finished(host, &job, once(job.heard, Sudo::Never, None).await?) };
        // What sudo says is held back until it is known whether it is news.
        let held = Held::new(job.heard);
        let hear = |stream: Stream, line: &str| held.hear(stream, line);
        // Without a password first, also where one is known: a command that needs none would read it as its input.
        let mut ended = once(Some(&hear), Sudo::Never, None).await?;
        if sudo_refused(&ended) && self.wants_password(host, user).await? {
            let mut for_it = false;
            while sudo_refused(&ended) {
                held.forget();
                self.untrace(host, &job).await?;
                let password = self.password(host, user, &ended, for_it).await?;
                ended = once(Some(&hear), Sudo::Password, Some(&password.text)).await?;
                if sudo_refused(&ended) && password.own {
                    self.untrace(host, &job).await?;
                    return Err(self.wrong_password(host, user, &password).await);
                }
                for_it = true;
            }
        }
        held.let_go();
        finished(host, &job, ended)
    }

    async fn forward(&self, host: &Host, to: &Remote) -> Result<PathBuf, Failure> {
        let cell = self.forwards.lock().unwrap().entry((host.name.clone(), to.clone())).or_default().clone();
        let open = async || {
            let session = self.session(host).await?;
            let near = self.folder.path(&format!("f{:012x}", rand::random::<u64>() >> 16));
            forward(&session, host, &near, to).await?;
            Ok::<_, Failure>(near)
        };
        cell.get_or_try_init(open).await.cloned()
    }

    async fn exclusive(
        &self,
        host: &Host,
        program: &str,
        args: &[&str],
        socket: Option<&Remote>,
    ) -> Result<Exclusive, Failure> {
        let control = self.folder.path(&format!("x{:012x}", rand::random::<u64>() >> 16));
        master::start(&self.config, &control, host, "no").await?;
        let mut guard = Guard {
            config: self.config.clone(),
            control: control.clone(),
            host: host.address().to_owned(),
            near: None,
        };
        let session = Arc::new(Session::resume_mux(control.into(), None));
        let line = wrapper::bare(program, args)?;
        let broken = |e: ::openssh::Error| {
            Failure::new(Reason::Unreachable, format!("host `{host}` cannot be reached: its connection broke: {e}"))
                .on(&host.name)
        };
        let mut command = session.clone().arc_raw_command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let frozen = || {
            Failure::new(Reason::Unreachable, format!("host `{host}` cannot be reached: its connection is frozen"))
                .on(&host.name)
        };
        let mut child = timeout(SILENT, command.spawn()).await.map_err(|_| frozen())?.map_err(broken)?;
        let (stdin, stdout) = (child.stdin().take().expect("piped"), child.stdout().take().expect("piped"));
        let near = match socket {
            None => None,
            Some(remote) => {
                let near = self.folder.path(&format!("f{:012x}", rand::random::<u64>() >> 16));
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

    async fn traced(&self, host: &Host, trace: &Trace) -> Result<Traced, Failure> {
        let text = r#"case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
[ -f "$folder/$id" ] || { printf 'none\n'; exit 0; }
pid= start= status=
while read -r word one two; do case $word in pid) pid=$one start=$two ;; status) status=$one ;; esac; done < "$folder/$id"
[ -z "$status" ] || { printf 'status %s\n' "$status"; exit 0; }
now=$(cat "/proc/$pid/stat" 2>/dev/null) || { printf 'lost\n'; exit 0; }
set -- ${now##*) }
shift 19
if [ "$1" = "$start" ]; then printf 'running\n'; else printf 'lost\n'; fi"#;
        let values = vec![("folder".into(), trace.folder.clone()), ("id".into(), trace.id.clone())];
        let command = Command::line(text, values).expect("a good line");
        let ended = self.run(host, Job { timeout: Some(SILENT), ..Job::new(&command) }).await?;
        let text = String::from_utf8_lossy(&ended.out);
        match text.trim() {
            "none" if ended.status == 0 => Ok(Traced::NeverStarted),
            "running" if ended.status == 0 => Ok(Traced::Running),
            "lost" if ended.status == 0 => Ok(Traced::Lost),
            other => match other.strip_prefix("status ").and_then(|s| s.parse().ok()) {
                Some(status) if ended.status == 0 => Ok(Traced::Ended(status)),
                _ => Err(Failure::unknown(format!("host `{host}` does not say how the call stands")).on(&host.name)),
            },
        }
    }

    async fn terminal(&self, host: &Host, line: &str) -> Result<i32, Failure> {
        self.session(host).await?;
        let mut command = std::process::Command::new("ssh");
        command.arg("-F").arg(&self.config).args(["-t", "-o", "LogLevel=ERROR", "-o", "ControlMaster=no", "-o"]);
        command.arg(format!("ControlPath={}", self.socket(host.address()).display()));
        command.args(["--", host.address(), line]);
        let mut ended = None;
        self.person.lend(&mut |terminal| {
            let own = || terminal.try_clone().map(std::process::Stdio::from);
            let run = |(a, b, c): (std::process::Stdio, _, _)| command.stdin(a).stdout(b).stderr(c).status();
            ended = Some(own().and_then(|a| Ok((a, own()?, own()?))).and_then(run));
        });
        match ended {
            Some(Ok(status)) => Ok(status.code().unwrap_or(255)),
            Some(Err(e)) => Err(Failure::failed(format!("ssh cannot be started: {e}"))),
            None => Err(Failure::failed(format!("host `{host}`: a program wants a terminal, and there is none here"))
                .on(&host.name)
                .help("type it in a terminal, without a pipe before it")),
        }
    }

    async fn stop_all(&self) {
        self.halts.fetch_add(1, SeqCst);
        let running: Vec<_> = self.running.lock().unwrap().iter().cloned().collect();
        for (name, pid, user) in running {
            if let Some(host) = self.hosts.get(&name) {
                self.stop(host, pid, user.as_ref()).await;
            }
        }
    }
}

/// A call that the wrapper never began is no outcome.
fn finished(host: &Host, job: &Job<'_>, ended: Ended) -> Result<Ended, Failure> {
    match ended.status {
        UNWRITTEN => Err(not_begun(host, "ledger", job)),
        NOT_BEGUN => {
            let last = String::from_utf8_lossy(&ended.err).lines().last().unwrap_or_default().to_owned();
            let message = format!("host `{host}`: the command was not begun: {last}");
            Err(Failure::failed(message).on(&host.name).help("a host needs sh, setsid and sudo where a user is named"))
        }
        _ => Ok(ended),
    }
}

async fn forward(session: &Session, host: &Host, near: &Path, to: &Remote) -> Result<(), Failure> {
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
    Err(Failure::new(Reason::Unreachable, format!("nothing can be forwarded through `{host}`: {why}")).on(&host.name))
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

impl Drop for Openssh {
    fn drop(&mut self) {
        for cell in self.forwards.lock().unwrap().values() {
            if let Some(near) = cell.get() {
                let _ = std::fs::remove_file(near);
            }
        }
    }
}
