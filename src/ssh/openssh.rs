//! Hosts of one fleet, reached by OpenSSH.
use super::{
    config::{self, Config},
    exclusive::forward,
    folder::Folder,
    heard::{Stderr, Stdout, Trailer},
    input::{feed, readable},
    jumps::Jumps,
    link::{Link, until_frozen},
    master::{self, Base},
    sudo::{Answer, Held, refused as sudo_refused},
    wrapper::{self, Sudo},
};
use crate::{
    command::Command,
    event::Stream,
    failure::{Cause, Failure},
    fleet::Fleet,
    host::{Host, Name},
    secret::Secret,
    world::real::{Ended, Exclusive, Job, Person, Remote, Trace, Traced, Transport},
};
use ::openssh::Session;
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    io::AsyncReadExt,
    sync::OnceCell,
    time::{timeout, timeout_at},
};

/// How long a dead peer may go unnoticed; ssh itself gives up after 15 s.
pub(super) const SILENT: Duration = Duration::from_secs(20);

/// How often it is asked whether a command is still wanted.
pub(super) const WANTED: Duration = Duration::from_millis(200);

/// How long it may take before it is given up together with everything else that is stopped.
const SLOW: Duration = Duration::from_secs(3);

/// How long stderr is read on after a command's end, where something that the command left running holds it open.
const LAST_WORDS: Duration = Duration::from_millis(20);
/// The same after a failure: why it failed stands there, and may come late over a slow line.
const LAST_WORDS_OF_A_FAILURE: Duration = Duration::from_secs(3);

/// Why a line was not begun.
const STUCK: &str =
    "its login shell doesn't reach the command; a start-up file such as `.bashrc` hangs there or never stops printing";

/// The near end of a forward, once it is there.
type Near = Arc<OnceCell<PathBuf>>;

/// The transport of a fleet.
pub struct Openssh {
    pub(super) base: Base,
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
    pub(super) halts: AtomicU32,
    /// Hosts whose old traces this run has removed.
    swept: Mutex<BTreeSet<Name>>,
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
            base: Base { folder, config, digest, jumps: Jumps::default() },
            owner: fleet.app.as_ref().and_then(|app| app.user.clone()).filter(|u| Some(u) != fleet.user.as_ref()),
            person,
            links: Mutex::default(),
            forwards: Mutex::default(),
            passwords: Default::default(),
            running: Mutex::default(),
            halts: AtomicU32::default(),
            swept: Mutex::default(),
            hosts: hosts.map(|h| (h.name.clone(), h)).collect(),
        })
    }

    /// A name for the near end of a forward.
    pub(super) fn near(&self) -> PathBuf {
        self.base.folder.path(&format!("f{:012x}", rand::random::<u64>() >> 16))
    }

    async fn session(&self, host: &Host) -> Result<Arc<Session>, Failure> {
        self.link(host).session(&self.base, host).await
    }

    fn link(&self, host: &Host) -> Arc<Link> {
        self.links.lock().unwrap().entry(host.name.clone()).or_default().clone()
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
        let mut child = self.channel(host, &session, line, job).await?;
        let mut stdin = child.stdin().take();
        let (mut stdout, mut stderr) = (child.stdout().take().expect("piped"), child.stderr().take().expect("piped"));
        let mut out = Stdout::new(mark, job.keep, job.heard).into(job.into);
        let mut err = Stderr::new(mark, job.keep.min(1 << 20), job.heard);
        let begun = AtomicBool::new(false);
        let asked = Instant::now();
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
                                begun.store(true, SeqCst);
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
                        Ok(n) if n > 0 => err.push(&b[..n]),
                        _ => err_open = false,
                    },
                }
            }
            // What a command said last on stderr may come behind the trailer; what it left running may hold stderr open.
            let well = matches!(out.trailer, Some(Trailer::Status(0)));
            let until = tokio::time::Instant::now() + if well { LAST_WORDS } else { LAST_WORDS_OF_A_FAILURE };
            while err_open
                && let Ok(Ok(n)) = timeout_at(until, stderr.read(&mut b)).await
                && n > 0
            {
                err.push(&b[..n]);
            }
        };
        let both = async {
            tokio::pin!(feeding, reading);
            let (mut frozen, mut unwanted) = (pin!(until_frozen(&session)), pin!(unwanted(job.until)));
            let mut stuck = pin!(self.until_stuck(&begun, halts));
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
                    () = &mut stuck => return Over::Stuck,
                }
            }
        };
        let over = match job.timeout {
            Some(limit) => timeout(limit, both).await.unwrap_or(Over::Late(limit)),
            None => both.await,
        };
        out.finish();
        err.finish();
        let pid = out.pid.unwrap_or(0);
        self.running.lock().unwrap().remove(&(host.name.clone(), pid, job.user.clone()));
        if let Over::Stuck = over {
            // What was not begun finds nobody who listens once the channel is closed, and does not begin.
            drop(child);
            if self.halts.load(SeqCst) != halts && asked.elapsed() < SLOW {
                return Err(cut_off(host, job, "it was stopped before the command began"));
            }
            let failure = cut_off(host, job, STUCK).help(format!("see what `ssh {} true` does", host.address()));
            self.link(host).give_up(&failure).await;
            return Err(failure);
        }
        let cause = if let Over::Late(_) = over { Cause::TimedOut } else { Cause::Failed };
        let why = match over {
            Over::Ended | Over::Stuck => None,
            Over::Late(limit) => Some(format!("the command took longer than {} s", limit.as_secs_f64())),
            // Its input was not closed, so that it did not take a part for the whole.
            Over::Unread(e) => Some(format!("what the command reads can't be read here any more ({e})")),
            Over::Unwanted => Some("the command was no longer needed".to_owned()),
        };
        if let Some(why) = why {
            return match self.stop(host, pid, job.user.as_ref()).await {
                true if job.until.is_some_and(|until| until()) => {
                    Ok(Ended { status: Job::STOPPED, out: out.kept.into_bytes().0, err: Vec::new(), cut: false })
                }
                true => Err(Failure::new(cause, format!("{why} and was stopped")).on(&host.name)),
                false => {
                    Err(Failure::unknown(format!("{why}, and rfab can't tell whether it still runs")).on(&host.name))
                }
            };
        }
        let trailer = out.trailer.take();
        let (out, cut) = out.kept.into_bytes();
        let (err, _) = err.kept.into_bytes();
        match trailer {
            Some(Trailer::Status(status)) => Ok(Ended { status, out, err, cut }),
            Some(Trailer::LedgerAfter(status)) => Err(Failure::unknown(format!(
                "the command ended with status {status}, but the ledger couldn't be written"
            ))
            .on(&host.name)),
            Some(Trailer::Refused(what)) if what == "ledger" => Ok(Ended { status: UNWRITTEN, out, err, cut }),
            Some(Trailer::Refused(what)) => Err(not_begun(host, &what, job)),
            // Without the wrapper's first line nothing was begun: sudo, or the login shell, ended it.
            None if pid == 0 && has_exited(child).await => Ok(Ended { status: NOT_BEGUN, out, err, cut }),
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
pub(super) fn cut_off(host: &Host, job: &Job<'_>, why: &str) -> Failure {
    // What leaves a trace may have changed something; the rest can be done again.
    match job.trace.is_some() || job.note.is_some() {
        true => Failure::unknown(format!("rfab can't tell how the command ended: {why}"))
            .on(&host.name)
            .help("check on the host before you do it again"),
        false => master::unreachable(host, why),
    }
}

/// Statuses that no command can have: it was not begun; it was not, because the ledger cannot be written.
pub const NOT_BEGUN: i32 = -1;
pub const UNWRITTEN: i32 = -2;

/// Whether a trace is of a run that began so long ago that it may have been removed. A run's name begins with its time, in
/// milliseconds.
fn is_old(trace: &str) -> bool {
    let began = trace.split('-').next().and_then(|time| u64::from_str_radix(time, 16).ok());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let day = Duration::from_secs(24 * 60 * 60);
    began.is_some_and(|began| Duration::from_millis(began) + day * (wrapper::KEPT_DAYS - 1) < now)
}

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
    /// The login shell never came to it.
    Stuck,
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
            format!("there is no folder `{}` to run it in", job.cd.as_deref().unwrap_or_default())
        }
        "ledger" => "its ledger can't be written, so nothing was done".to_owned(),
        "trace" => {
            let folder = job.trace.as_ref().map(|trace| trace.folder.as_str()).unwrap_or_default();
            let message = format!("its state folder `{folder}` can't be written, so nothing was done");
            return Failure::failed(message).on(&host.name).help(
                "make room or give the login user that folder; or name one in the fleet file that they can write to, such as \
                 `state = \"/var/lib/rfab\"`",
            );
        }
        other => format!("the command didn't begin: {}", other.escape_debug()),
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
            let sweep = job.trace.is_some() && self.swept.lock().unwrap().insert(host.name.clone());
            let line = wrapper::line(&job, &mark, self.owner.as_ref(), sudo, sweep)?;
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
            let near = self.near();
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
        self.alone(host, program, args, socket).await
    }

    async fn traced(&self, host: &Host, trace: &Trace) -> Result<Traced, Failure> {
        let text = include_str!("traced.sh");
        let values = vec![("folder".into(), trace.folder.clone()), ("id".into(), trace.id.clone())];
        let command = Command::line(text, values).expect("a good line");
        let ended = self.run(host, Job { timeout: Some(SILENT), ..Job::new(&command) }).await?;
        let text = String::from_utf8_lossy(&ended.out);
        match text.trim() {
            // Old ones were removed, those of calls that came to their end too.
            "none" if ended.status == 0 && is_old(&trace.id) => Ok(Traced::Lost),
            "none" if ended.status == 0 => Ok(Traced::NeverStarted),
            "running" if ended.status == 0 => Ok(Traced::Running),
            "lost" if ended.status == 0 => Ok(Traced::Lost),
            other => match other.strip_prefix("status ").and_then(|s| s.parse().ok()) {
                Some(status) if ended.status == 0 => Ok(Traced::Ended(status)),
                _ => Err(Failure::unknown("doesn't report the state of the call").on(&host.name)),
            },
        }
    }

    async fn terminal(&self, host: &Host, line: &str) -> Result<i32, Failure> {
        self.session(host).await?;
        let mut command = std::process::Command::new("ssh");
        command.arg("-F").arg(&self.base.config).args(["-t", "-o", "LogLevel=ERROR", "-o", "ControlMaster=no", "-o"]);
        command.arg(format!("ControlPath={}", self.base.socket(host.address()).display()));
        command.args(["--", host.address(), line]);
        let mut ended = None;
        self.person.lend(&mut |terminal| {
            let own = || terminal.try_clone().map(std::process::Stdio::from);
            let run = |(a, b, c): (std::process::Stdio, _, _)| command.stdin(a).stdout(b).stderr(c).status();
            ended = Some(own().and_then(|a| Ok((a, own()?, own()?))).and_then(run));
        });
        match ended {
            Some(Ok(status)) => Ok(status.code().unwrap_or(255)),
            Some(Err(e)) => Err(Failure::failed(format!("ssh can't be started: {e}"))),
            None => Err(Failure::failed("a program wants a terminal, and there is none here")
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
            let said = if ended.err.is_empty() { &ended.out } else { &ended.err };
            let said = String::from_utf8_lossy(said);
            let last = said.lines().last().unwrap_or("the login shell ended without output");
            let message = format!("the command didn't begin: {last}");
            Err(Failure::failed(message).on(&host.name).help(
                "a host needs sh, setsid, sudo where a user is named, and a login shell that runs `exec /bin/sh`, which rbash, \
                 git-shell and nologin don't",
            ))
        }
        _ => Ok(ended),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_old_before_its_traces_are_removed() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        let trace = |began: Duration| format!("{:011x}-0a1b2c-0.1-3", began.as_millis());
        assert!(!is_old(&trace(now)) && !is_old(&trace(now - day * 28)));
        assert!(is_old(&trace(now - day * 30)));
        assert!(!is_old("no-time"));
    }
}
