//! Puts a run together from the parts of the real world.
use super::{
    attempt::{self, Resuming},
    facts::facts,
    folders::{folders, logs, runs},
    request::Request,
    signals,
    work::RunWork,
};
use crate::{
    balancer::SshCoordinator,
    effect::{Fleets, World},
    event::{EventKind, Listener},
    fabfile::Project,
    failure::{Exit, Failure},
    fleet::Fleet,
    port::{FleetConnections, Person, Real, Transport},
    report::{self, Beside},
    run::{self, EndedRun},
    session::{Drill, Faults, Run, Session, Stop},
    ssh::Openssh,
    store::{JournalTail, Record, Steps},
    world::{STACK, real::RealWorld},
};
use std::{env, path::PathBuf, sync::Arc, thread, time::Duration};

/// Carries out work on real hosts.
///
/// A resumed run keeps its id and its journal. If a drill's effect never came, the end of the run names the effect.
pub(super) fn run(
    request: &Request,
    project: &Project,
    work: RunWork<'_>,
    listener: Arc<dyn Listener>,
    resuming: Option<Resuming>,
    drill: Option<Drill>,
) -> Result<Exit, Failure> {
    let (logs, runs) = (logs()?, runs()?);
    let listener: Arc<dyn Listener> = Arc::new(report::HostLogs::new(listener, logs));
    let stop = Arc::new(Stop::default());
    let mut facts = facts(request, project, work.line());
    facts.naming = work.naming();
    let masks = facts.masks.clone();
    let person = Arc::new(Beside { listener: listener.clone(), stop: stop.clone(), masks });
    let world = Arc::new(world(request, project, person)?);
    let head = |facts: &Run| attempt::head(facts, request, project, work);
    let (keep, changed) = match resuming {
        None => (attempt::begin(&runs, &head(&facts))?, None),
        Some(resuming) => attempt::resume(&runs, resuming, &mut facts, head)?,
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
        session.lane().tell(EventKind::Warned { host: None, text });
    }
    if let Some(drill) = &drill {
        report::complain(&format!("warning: this run is a drill: it is {drill}"));
    }
    signals::watch(&world, &session, stop);
    let ended = carried_out(request, project, work, &session)?;
    let (commit, took) = (session.observed.pinned().map(|(_, commit)| commit), world.now(&session.lane()));
    let name = commit.as_ref().and_then(|commit| session.observed.names.of(commit));
    let (exit, typed_again) = (ended.exit.code(), session.observed.is_typed_again());
    let tail = JournalTail { exit, took, journal: journal.spent(), commit, name, typed_again, table: ended.table };
    if let Some((drill, why)) = drill.as_ref().and_then(|drill| Some((drill, drill.missed()?))) {
        report::complain(&format!("warning: the run wasn't {drill}: {why}"));
    }
    // A run that is over doesn't fail because its end can't be recorded.
    let _ = journal.write(&Record::Ended(tail), true);
    runs.take_up(&session.run.id);
    if let RunWork::Abort(aborted) = work
        && ended.exit == Exit::Done
    {
        let _ = aborted.journal.write(&Record::Aborted { by: session.run.id.clone() }, true);
        runs.take_up(&aborted.run);
    }
    Ok(ended.exit)
}

/// Carries out the work on a new thread with a stack that is large enough for scripts.
fn carried_out(
    request: &Request,
    project: &Project,
    work: RunWork<'_>,
    session: &Arc<Session>,
) -> Result<EndedRun, Failure> {
    thread::scope(|scope| {
        let task = || match work {
            RunWork::Line(line) => run::run(project, line, request.read, session),
            RunWork::Abort(aborted) => run::abort(project, &aborted.records, session),
        };
        let running = thread::Builder::new().name("tasks".into()).stack_size(STACK).spawn_scoped(scope, task);
        running.map_err(|e| Failure::failed(format!("no thread: {e}")))?.join().map_err(|_| {
            Failure::unknown("internal error").help("report this bug; check the hosts' state before you continue")
        })
    })
}

/// Removes old logs during the run; the next run removes those that are left.
fn sweep() {
    let _ = thread::Builder::new().name("sweep".into()).spawn(|| logs().map(|logs| logs.sweep()));
}

/// Longer than any run.
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);

/// Returns the real world of a request.
pub(super) fn world(request: &Request, project: &Project, person: Arc<dyn Person>) -> Result<RealWorld, Failure> {
    // Starts one thread for blocking work: if the system allows no others, this one does all of it.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_keep_alive(LONG).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?;
    runtime.spawn_blocking(|| ());
    let (home, cache) = folders()?;
    let (folder, asking) = (project.script.folder.clone(), person.clone());
    let (no_persist, transport) = (request.no_persist, request.transport);
    let build = move |fleet: &Arc<Fleet>| {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let persist = if no_persist { Duration::ZERO } else { fleet.persist };
        let reached = Fleet { transport: transport.unwrap_or(fleet.transport), ..(**fleet).clone() };
        let ssh = Openssh::new(&reached, &folder, &home, runtime.as_deref(), asking.clone(), persist)?;
        let transport: Arc<dyn Transport> = Arc::new(ssh);
        let coordinator = Arc::new(SshCoordinator::new(fleet.clone(), transport.clone()));
        Ok(FleetConnections::new(fleet.clone(), transport, coordinator))
    };
    Ok(RealWorld::new(Real::new(person, cache, !request.no_fetch, Box::new(build)), runtime))
}
