//! A request carried out task by task, to its closing table.
use crate::{
    balancer::{Lock, ReadBalance},
    cli::line::{Call, Line},
    command::Command,
    effect::Lane,
    event::{Row, Standing, What},
    fabfile::Project,
    failure::{Excerpt, Exit, Failure, Reason},
    fan,
    host::Host,
    release::ReadReleases,
    script::{Here, Invocation, Located, Value, current_targets, hand_over, located},
    session::Session,
    ssh::{Capture, Connect, Exec},
    world::real::Holder,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub exit: Exit,
    pub table: Vec<Row>,
    pub failures: Vec<Failure>,
}

/// Runs a line's tasks from left to right, stops at the first failure, and tells the closing table.
pub fn run(project: &Project, line: &Line, read_only: bool, session: &Arc<Session>) -> Ended {
    let script = project.script.clone();
    let lane = session.lane();
    let (targets, defers) = (Arc::new(Mutex::new(None)), Arc::default());
    let here = Here { script, session: session.clone(), lane: lane.clone(), targets, defers };
    lane.tell(What::RunStarted { line: line.to_string(), who: session.run.who.clone(), world: lane.world().name() });
    let result = tasks(&here, line, read_only);
    close(&here, result)
}

fn tasks(here: &Here, line: &Line, read_only: bool) -> Result<(), Box<Located>> {
    let last = line.calls.len();
    for (i, call) in line.calls.iter().enumerate() {
        let alone = i + 1 == last && line.command.is_none();
        task(here, call, alone)?;
    }
    match &line.command {
        Some(command) => ad_hoc(here, command, read_only).map_err(plain),
        None => Ok(()),
    }
}

fn plain(failure: Failure) -> Box<Located> {
    Box::new(Located { failure, spot: None, calls: Vec::new(), of_script: false })
}

fn task(here: &Here, call: &Call, last: bool) -> Result<(), Box<Located>> {
    let began = here.lane.world().now(&here.lane);
    here.lane.tell(What::TaskStarted { task: call.to_string() });
    let lanes = here.lane.fork(std::iter::once(&*call.task));
    let inside = Here { lane: lanes[0].clone(), defers: Arc::default(), ..here.clone() };
    let options = call.takes_options.then(|| call.options.clone());
    let invocation = Invocation { function: call.function.clone(), arguments: call.arguments.clone(), options };
    let result =
        here.script.call(&inside, &invocation).map_err(|e| Box::new(located(&e))).and_then(|value| match value {
            Value::Targets(targets) if call.names_hosts => {
                hand_over(&inside, &targets).map_err(|e| Box::new(located(&e)))?;
                if !last {
                    connect(&inside).map_err(plain)?;
                }
                Ok(())
            }
            _ => Ok(()),
        });
    here.lane.advance(inside.lane.clock());
    let took = here.lane.world().now(&here.lane).saturating_sub(began);
    let failure = result.as_ref().err().map(|l| l.failure.clone());
    here.lane.tell(What::TaskFinished { task: call.to_string(), took, failure });
    result
}

/// Opens the connections to all targets and balancers side by side, before the first step.
fn connect(here: &Here) -> Result<(), Failure> {
    let Some(targets) = here.targets.lock().unwrap().clone() else { return Ok(()) };
    let balancers = targets.fleet.balancers.iter().map(|b| b.host.clone());
    let hosts = targets.hosts.iter().cloned().chain(balancers).collect();
    here.lane.perform(Connect { fleet: targets.fleet, hosts, at_once: here.session.run.parallel }).map(drop)
}

/// A command on the targets, side by side; it counts as a change unless it is said to only read.
fn ad_hoc(here: &Here, command: &Command, read_only: bool) -> Result<(), Failure> {
    let targets = current_targets(here).map_err(|e| located(&e).failure)?;
    connect(here)?;
    let (command, state) = (command.clone(), targets.fleet.state.clone());
    let results = fan::over(here, &targets.hosts, move |lane, host| {
        let (on, command) = (host.clone().into(), command.clone());
        match read_only {
            true => lane.perform(Capture { on, command, any_status: false, shown: true }).map(drop),
            false => {
                let state = state.clone();
                lane.perform(Exec { on, command, any_status: false, state }).map(drop)
            }
        }
    });
    results.into_iter().collect()
}

/// Gives the locks back, reads how every target stands, and tells the table.
fn close(here: &Here, result: Result<(), Box<Located>>) -> Ended {
    let (session, lane) = (&here.session, here.lane.deferred());
    let mut failures: Vec<Failure> = Vec::new();
    if let Err(located) = &result {
        failures.push(shown(here, located));
    }
    let (table, unknown) = table(here, &lane);
    for fleet in session.fleets.all() {
        // The lock ends with the connection in any case.
        let holder = Holder {
            who: String::new(),
            from: String::new(),
            run: session.run.id.to_string(),
            line: String::new(),
            since: String::new(),
        };
        let _ = lane.perform(Lock { fleet, holder, take: false, wait: false });
    }
    for (_, host) in session.tally.targets() {
        if let Some(failure) = session.tally.told(&host).failure
            && failures.iter().all(|f| f.message != failure.message)
        {
            failures.push(failure);
        }
    }
    let exit = exit(session, &result, &failures, unknown);
    let mut next = session.tally.all_next();
    if result.is_err() && !matches!(exit, Exit::Usage | Exit::Fabfile) {
        next = vec![session.run.line.clone()];
    }
    let took = lane.world().now(&lane);
    lane.tell(What::RunFinished { exit, took, table: table.clone(), next, failures: failures.clone() });
    Ended { exit, table, failures }
}

/// The first of 9, 6, 4, 1, 8 where several hold; a signal before all.
fn exit(session: &Session, result: &Result<(), Box<Located>>, failures: &[Failure], unknown: bool) -> Exit {
    match session.stopped() {
        Some(1) => return Exit::HungUp,
        Some(15) => return Exit::Terminated,
        Some(_) => return Exit::Interrupted,
        None => {}
    }
    let mut exit = match result {
        Err(located) => located.failure.reason.exit(),
        Ok(()) => Exit::Done,
    };
    for failure in failures {
        // A host's failure that the task got over still says that the host needs somebody.
        let of_host = failure.reason.exit();
        exit = if exit == Exit::Done { of_host } else { exit.worse(of_host) };
    }
    if unknown && exit != Exit::Done {
        exit = exit.worse(Exit::Unknown);
    }
    if exit == Exit::Done && !session.tally.all_left_out().is_empty() {
        exit = Exit::LeftOut;
    }
    exit
}

/// A row for each host that was a target; and whether a host's state is unknown.
fn table(here: &Here, lane: &Arc<Lane>) -> (Vec<Row>, bool) {
    let tally = &here.session.tally;
    let targets = tally.targets();
    let touched = !here.session.run.line.is_empty() && !targets.is_empty();
    let mut balances = BTreeMap::new();
    for (fleet, _) in &targets {
        if touched && !fleet.balancers.is_empty() && !balances.contains_key(&fleet.name) {
            balances.insert(fleet.name.clone(), lane.perform(ReadBalance { fleet: fleet.clone() }));
        }
    }
    let hosts: Vec<_> = targets.iter().map(|(_, h)| h.clone()).collect();
    let closing = Here { lane: lane.clone(), ..here.clone() };
    let session = here.session.clone();
    let reads = fan::over(&closing, &hosts, move |lane, host| {
        let fleet = session.fleets.get(&host.fleet);
        let dead = session.tally.told(host).failure.is_some_and(|f| f.reason == Reason::Unreachable);
        if fleet.app.is_none() || dead {
            return Ok(());
        }
        lane.perform(ReadReleases::of(&fleet, host)?).map(drop)
    });
    let mut unknown = false;
    let rows = targets.iter().zip(reads).map(|((fleet, host), read)| {
        let told = tally.told(host);
        let standing = match balances.get(&fleet.name) {
            None => Standing::None,
            Some(Ok(balance)) => balance.standing(fleet, host).unwrap_or(Standing::Unknown),
            Some(Err(_)) => Standing::Unknown,
        };
        let lost = read.is_err() && told.changed;
        unknown |= lost || (standing == Standing::Unknown && told.drained);
        let release = |r: &Option<Option<crate::model::Release>>| match r {
            Some(Some(release)) => Some(release.to_string()),
            Some(None) | None => None,
        };
        let note = told.failure.as_ref().map(|f| of_row(host, &f.message)).or(told.note.clone());
        Row {
            host: host.name.clone(),
            old: release(&told.old),
            new: if lost { None } else { release(&told.new) },
            balancer: standing,
            result: told.outcome(),
            note,
        }
    });
    (rows.collect(), unknown)
}

/// A message without the name that its row begins with.
fn of_row(host: &Host, message: &str) -> String {
    let rest = message.strip_prefix(&format!("host `{host}`"));
    rest.map_or(message, |rest| rest.trim_start_matches([':', ' '])).to_owned()
}

/// The failure with the lines of the script that led to it.
fn shown(here: &Here, located: &Located) -> Failure {
    let failure = located.failure.clone();
    if failure.excerpt.is_some() {
        return failure;
    }
    let Some(spot) = located.spot.as_ref().or(located.calls.last()) else { return failure };
    let resolver = &here.script.resolver;
    let Some(text) = resolver.text(&spot.source) else { return failure };
    let name = |source: &str| if source.is_empty() { "fabfile.rhai".to_owned() } else { source.to_owned() };
    let calls = located.calls.iter().filter(|c| *c != spot).map(|c| (name(&c.source), c.line)).collect();
    failure.excerpt(Excerpt { file: name(&spot.source), text, line: spot.line, column: spot.column, length: 1, calls })
}
