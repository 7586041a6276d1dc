//! Puts a run together from the parts that the real world is made of.
use super::{
    attempt::{self, Aborted, Going},
    line::Line,
    request::{Color, Detail, Request},
    signals,
};
use crate::{
    balancer::FleetLocks,
    demo,
    effect::Fleets,
    event::{Listener, What},
    fabfile::Project,
    failure::{Exit, Failure},
    fleet::Fleet,
    host::Name,
    ledger::line::now,
    report::{self, Beside, Palette},
    run,
    secret::Masks,
    session::{Drill, Faults, Run, Session, Stop},
    ssh::Openssh,
    store::{Logs, Record, Runs, Steps, Tail},
    world::{
        STACK, World,
        real::{Connections, Person, Real, RealWorld, Transport},
    },
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{env, fs, path::PathBuf, sync::Arc, thread, time::Duration};

/// What a run carries out.
#[derive(Clone, Copy)]
pub enum Work<'a> {
    Line(&'a Line),
    /// What another run did is taken back.
    Abort(&'a Aborted),
}

/// Carries work out on real hosts.
///
/// A run that is resumed keeps its id, and its journal goes on. A drill's effect that never came is named at the end.
pub fn run(
    request: &Request,
    project: &Project,
    work: Work<'_>,
    listener: Arc<dyn Listener>,
    going: Option<Going>,
    drill: Option<Drill>,
) -> Result<Exit, Failure> {
    let (logs, runs) = (logs()?, runs()?);
    let listener: Arc<dyn Listener> = Arc::new(report::Logged::new(listener, logs));
    let stop = Arc::new(Stop::default());
    let mut facts = facts(request, project, work.line());
    facts.naming = work.naming();
    let masks = facts.masks.clone();
    let person = Arc::new(Beside { listener: listener.clone(), stop: stop.clone(), masks });
    let world = Arc::new(world(request, project, person)?);
    let head = |facts: &Run| attempt::head(facts, project, work);
    let (keep, changed) = match going {
        None => (attempt::begin(&runs, &head(&facts))?, None),
        Some(going) => attempt::go_on(&runs, going, &mut facts, head)?,
    };
    facts.undoes = work.undoes();
    let journal = keep.journal.clone();
    sweep();
    let listener = Arc::new(Steps { journal: journal.clone(), then: listener });
    let session = Session::new(
        facts,
        Arc::new(Fleets::default()),
        world.clone() as Arc<dyn World>,
        listener,
        Faults::rehearsed(drill.clone(), stop.clone()),
        stop.clone(),
        Some(keep),
    );
    if let Some(text) = changed {
        session.lane().tell(What::Warned { host: None, text });
    }
    if let Some(drill) = &drill {
        report::complain(&format!("warning: drill: this run is {drill}"));
    }
    watch_signals(&world, &session, stop);
    let ended = thread::scope(|scope| {
        let task = || match work {
            Work::Line(line) => run::run(project, line, request.read, &session),
            Work::Abort(aborted) => run::abort(project, &aborted.records, &session),
        };
        let running = thread::Builder::new().name("tasks".into()).stack_size(STACK).spawn_scoped(scope, task);
        running.map_err(|e| Failure::failed(format!("no thread: {e}")))?.join().map_err(|_| {
            Failure::unknown("rfab itself failed; report this bug").help("check the hosts' state before you continue")
        })
    })?;
    let (commit, took) = (session.observed.pinned().map(|(_, commit)| commit), world.now(&session.lane()));
    let name = commit.as_ref().and_then(|commit| session.observed.names.of(commit));
    let tail = Tail { exit: ended.exit.code(), took, journal: journal.spent(), commit, name, table: ended.table };
    if let Some((drill, why)) = drill.as_ref().and_then(|drill| Some((drill, drill.missed()?))) {
        report::complain(&format!("warning: drill: this run wasn't {drill}: {why}"));
    }
    // A run that is over does not fail for what is written of it.
    let _ = journal.write(&Record::Ended(tail), true);
    runs.take_up(&session.run.id);
    if let Work::Abort(aborted) = work
        && ended.exit == Exit::Done
    {
        let _ = aborted.journal.write(&Record::Aborted { by: session.run.id.clone() }, true);
        runs.take_up(&aborted.run);
    }
    Ok(ended.exit)
}

impl Work<'_> {
    /// The command line's normal form.
    fn line(self) -> String {
        match self {
            Work::Line(line) => line.to_string(),
            Work::Abort(aborted) => format!("--abort {}", aborted.run),
        }
    }

    fn naming(self) -> String {
        match self {
            Work::Line(line) => line.naming(),
            Work::Abort(_) => String::new(),
        }
    }

    /// The tasks, in the line's order.
    pub fn tasks(self) -> Vec<Name> {
        match self {
            Work::Line(line) => line.calls.iter().map(|call| call.task.as_str().into()).collect(),
            Work::Abort(_) => Vec::new(),
        }
    }

    fn undoes(self) -> Option<Name> {
        match self {
            Work::Line(_) => None,
            Work::Abort(aborted) => Some(aborted.run.clone()),
        }
    }
}

/// The runs that this user's machine knows of.
pub fn runs() -> Result<Runs, Failure> {
    kept().map(Runs::new)
}

/// Their logs.
pub fn logs() -> Result<Logs, Failure> {
    kept().map(Logs::new)
}

fn kept() -> Result<PathBuf, Failure> {
    let folders = directories::ProjectDirs::from("", "", "rfab");
    let folder = folders.map(|f| f.data_dir().join("runs"));
    folder.ok_or_else(|| Failure::failed("`HOME` doesn't name a folder").help("set it to your home folder"))
}

/// Removes old logs while the run goes on; what is left of it when the run is over is the next one's.
fn sweep() {
    let _ = thread::Builder::new().name("sweep".into()).spawn(|| logs().map(|logs| logs.sweep()));
}

/// The first signal lets the effect in hand end and runs what was deferred; the second ends remote commands, too.
fn watch_signals(world: &Arc<RealWorld>, session: &Arc<Session>, stop: Arc<Stop>) {
    use tokio::signal::unix::{SignalKind, signal};
    // The runtime is the world's, and the session holds the world: what is spawned here must hold neither.
    let (weak, session) = (Arc::downgrade(world), Arc::downgrade(session));
    world.spawn(async move {
        let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
        for number in signals::heeded() {
            let Ok(mut stream) = signal(SignalKind::from_raw(number.into())) else { continue };
            let told = told.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && told.send(number).is_ok() {} });
        }
        while let Some(number) = hear.recv().await {
            let first = stop.signal().is_none();
            // A shell that dies and the kernel both tell of one terminal that was closed.
            if !first && number == signals::HANG_UP {
                continue;
            }
            stop.by(number);
            if !first && stop.closing() {
                continue;
            }
            let text = match first {
                true => "interrupted: what is running finishes, and nothing new starts; interrupt again to stop it",
                false => "interrupted again: stopping the commands that are still running",
            };
            if let Some(session) = session.upgrade() {
                session.lane().tell(What::Warned { host: None, text: text.to_owned() });
            }
            if !first && let Some(world) = weak.upgrade() {
                world.real.stops.notify_waiters();
                for site in world.real.sites() {
                    site.transport.stop_all().await;
                }
            }
        }
    });
}

/// Longer than any run.
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);

/// The real world of a request.
pub fn world(request: &Request, project: &Project, person: Arc<dyn Person>) -> Result<RealWorld, Failure> {
    // One thread for what blocks is there from the start: where the system gives no others, it does all of that.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_keep_alive(LONG).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?;
    runtime.spawn_blocking(|| ());
    let (home, cache) = folders()?;
    let (folder, asking) = (project.script.folder.clone(), person.clone());
    let build = move |fleet: &Arc<Fleet>| {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let ssh = Openssh::new(fleet, &folder, &home, runtime.as_deref(), asking.clone())?;
        let transport: Arc<dyn Transport> = Arc::new(ssh);
        let balancing = Arc::new(FleetLocks::new(fleet.clone(), transport.clone()));
        Ok(Connections { fleet: fleet.clone(), transport, balancing, balance: Default::default() })
    };
    Ok(RealWorld::new(Real::new(person, cache, !request.no_fetch, Box::new(build)), runtime))
}

/// The user's home, and rfab's own folder for what can be made again.
pub fn folders() -> Result<(PathBuf, PathBuf), Failure> {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|h| h.is_absolute());
    let home =
        home.ok_or_else(|| Failure::failed("`HOME` doesn't name a folder").help("set it to your home folder"))?;
    let folders = directories::ProjectDirs::from("", "", "rfab");
    let cache = folders.map_or_else(|| home.join(".cache/rfab"), |f| f.cache_dir().to_owned());
    Ok((home, cache))
}

/// How many hosts are worked on at once: no more than this process may have files for.
fn affordable(parallel: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = (FILES + FILES_OF_A_HOST * parallel as u64).min(maximum.unwrap_or(u64::MAX));
    let mut files = current.unwrap_or(u64::MAX);
    // A process may take what it is allowed, up to its hard limit.
    if files < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        files = wanted;
    }
    let hosts = files.saturating_sub(FILES) / FILES_OF_A_HOST;
    parallel.min(usize::try_from(hosts).unwrap_or(usize::MAX)).max(1)
}

/// The files of a run that has no hosts, and those that work on one host has at most.
const FILES: u64 = 48;
const FILES_OF_A_HOST: u64 = 12;

/// What is known of a run from its start.
pub fn facts(request: &Request, project: &Project, line: String) -> Run {
    let variable = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
    let name = rustix::system::uname();
    // Time-ordered: milliseconds since 1970, then chance.
    let id = format!("{:011x}-{:06x}", jiff::Timestamp::now().as_millisecond(), rand::random::<u32>() & 0xff_ffff);
    Run {
        id: id.into(),
        attempt: 0,
        undoes: None,
        line,
        naming: String::new(),
        folder: project.script.folder.clone(),
        flags: request.flags(),
        who: variable("USER").or(variable("LOGNAME")).unwrap_or_else(account),
        on_behalf_of: variable("RFAB_ON_BEHALF_OF"),
        from: name.nodename().to_string_lossy().into_owned(),
        since: now(),
        allowed: request.allowed.clone(),
        parallel: affordable(request.parallel),
        lines: Arc::default(),
        masks: Masks::default(),
    }
}

/// The name of the account that this process runs as; its number where no database of users has it.
fn account() -> String {
    let id = rustix::process::geteuid().as_raw();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&users, id).or_else(asked).unwrap_or_else(|| format!("user {id}"))
}

/// The account of a number in a file such as `/etc/passwd`.
fn named(users: &str, id: u32) -> Option<String> {
    let mut rows = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let row = rows.find(|row| row.get(2).is_some_and(|of| of.parse() == Ok(id)))?;
    row.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// As the system says that has its users elsewhere than in a file.
fn asked() -> Option<String> {
    let answer = std::process::Command::new("id").arg("-un").stderr(std::process::Stdio::null()).output().ok()?;
    let name = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (answer.status.success() && !name.is_empty()).then_some(name)
}

/// Shows the five commands of a hotfix's day on an embedded fleet.
///
/// How much is shown, and how, goes for each of them; with `--json` stdout has their events alone.
pub fn demo(request: &Request, palette: Palette) -> Result<Exit, Failure> {
    let color = match request.color {
        Color::Auto => None,
        Color::Always => Some("--color=always"),
        Color::Never => Some("--color=never"),
    };
    let detail = match request.detail {
        Detail::Quiet => Some("--quiet"),
        Detail::Normal => None,
        Detail::Verbose => Some("--verbose"),
    };
    let flags = [color, detail, request.json.then_some("--json")].into_iter().flatten().map(str::to_owned).collect();
    let tell: &dyn Fn(&str) = if request.json { &report::complain } else { &report::say };
    demo::run(demo::Style { tell, palette, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_as_its_file_has_it() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n:x:7:7::/:\nbroken\n";
        let name = |id| named(users, id);
        assert_eq!((name(0).as_deref(), name(1000).as_deref()), (Some("root"), Some("ann")));
        assert_eq!((name(7), name(1), name(100)), (None, None, None));
    }
}
