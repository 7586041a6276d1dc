//! How a run ends: its exit code, its table, and the failures with the lines that led to them.
use super::{Ended, left, next, unfit};
use crate::{
    balancer::{Lock, ReadBalance},
    docs,
    effect::Lane,
    event::{Outcome, Row, Standing, What},
    failure::{Exit, Failure, Reason},
    fan_out,
    fleet::Fleet,
    host::{Host, Name},
    ledger::{Calling, Consult, Phase, SayRun},
    model::{Commit, key},
    release::ReadReleases,
    script::{Here, Located, Spot},
    session::{Observed, Reader, Session, settled},
    world::real::Holder,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Gives the locks back, reads how every target stands, and tells the table.
///
/// `failed` has what stopped it: nothing, or the failure of its task, or one of each fleet that it goes through.
pub fn close(here: &Here, failed: &[Box<Located>]) -> Ended {
    let (session, lane) = (&here.session, here.lane.deferred());
    session.closes();
    let mut failures: Vec<Failure> = failed.iter().map(|located| shown(here, located)).collect();
    look_again(session, &lane);
    unfit::distrust(session, &lane);
    unfit::out_again(session, &lane);
    session.observed.exposed();
    let Read { mut table, unknown, unread } = table(here, &lane, failed.is_empty());
    if failed.is_empty() {
        failures.extend(tell_unread(session, &lane, unread));
    }
    for (_, host) in session.observed.targets() {
        let Some(failure) = session.observed.host(&host).failure else { continue };
        if !failures.iter().any(|told| told.tells(&failure)) {
            failures.push(failure);
        }
    }
    if session.changed() {
        failures = failures.into_iter().map(Failure::after_changes).collect();
    }
    let exit = exit(session, failed.first().map(|located| &located.failure), &failures, unknown);
    session.fleets.all().into_iter().for_each(|fleet| give_back(session, &lane, fleet, exit));
    let over = failed.is_empty() && session.stopped().is_none();
    let next = next::lines(session, exit, over);
    // What comes back is kept, too.
    table.iter_mut().for_each(|row| row.mask(&session.run.masks));
    failures.iter_mut().for_each(|failure| failure.mask(&session.run.masks));
    // Whoever writes logs knows where they are.
    let (took, logs) = (lane.world().now(&lane), Vec::new());
    lane.tell(What::RunFinished { exit, took, table: table.clone(), next, failures: failures.clone(), logs });
    Ended { exit, table, failures }
}

/// Looks once more at the hosts that this run put back; who does not serve any more has failed.
fn look_again(session: &Arc<Session>, lane: &Arc<Lane>) {
    for fleet in session.fleets.all() {
        let stopped = || session.stopped().is_some();
        let looked = settled(&fleet, &session.observed, &[], &Reader::Lane(lane), &|| lane.world().now(lane), &stopped);
        // Who was seen to be down is noted; of the others nobody knows.
        if looked.is_err() {
            for (host, _) in session.observed.back(&fleet) {
                if session.observed.host(&host).looked.is_none() {
                    let message = "it was put back, but couldn't be checked since";
                    session.observed.failed(&host, &Failure::unknown(message).on(&host.name));
                }
            }
        }
    }
}

/// Writes down how the run leaves a fleet that it had locked, and gives the lock back.
fn give_back(session: &Session, lane: &Arc<Lane>, fleet: Arc<Fleet>, exit: Exit) {
    let phase = match exit {
        _ if !session.changed() => Phase::Failed,
        Exit::Done | Exit::LeftOut => Phase::Ok,
        _ => Phase::Unknown,
    };
    if session.observed.has_lock(&fleet.name) {
        let (typed, line) = (session.run.typed(), session.run.line(phase));
        // Without it the run counts as one that is not done, which nobody is misled by.
        let _ = lane.perform(SayRun { fleet: fleet.clone(), typed, line });
    }
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

/// The first of 9, 6, 4, 1, 8 where several hold; a signal before all.
fn exit(session: &Session, failed: Option<&Failure>, failures: &[Failure], unknown: bool) -> Exit {
    match session.stopped() {
        Some(1) => return Exit::HungUp,
        Some(15) => return Exit::Terminated,
        Some(_) => return Exit::Interrupted,
        None => {}
    }
    let mut exit = failed.map_or(Exit::Done, |failure| failure.reason().exit());
    for failure in failures {
        // A host's failure that the task got over still says that the host needs somebody.
        let of_host = failure.reason().exit();
        exit = if exit == Exit::Done { of_host } else { exit.worse(of_host) };
    }
    if unknown && exit != Exit::Done {
        exit = exit.worse(Exit::Unknown);
    }
    // It says that nothing was changed.
    if exit == Exit::Refused && session.observed.changed() {
        exit = Exit::Failed;
    }
    if exit == Exit::Done && !session.observed.all_left_out().is_empty() {
        exit = Exit::LeftOut;
    }
    exit
}

/// What was read of the targets at the end.
struct Read {
    /// A row for each host that was a target.
    table: Vec<Row>,
    /// Whether the state of a host that was changed is unknown.
    unknown: bool,
    /// Why nobody knows how hosts stand in the balancer: each reason once.
    unread: Vec<Failure>,
}

/// Says why nobody knows how hosts stand; a run that was only to show that has failed.
fn tell_unread(session: &Session, lane: &Arc<Lane>, unread: Vec<Failure>) -> Vec<Failure> {
    let told = session.observed.all_left_out();
    let unread: Vec<Failure> = unread.into_iter().filter(|failure| !told.contains(&failure.message)).collect();
    // Nothing was asked for but to see how the hosts stand.
    if session.run.line == session.run.naming {
        return unread;
    }
    for failure in unread {
        lane.tell(What::Warned { host: None, text: failure.to_string() });
    }
    Vec::new()
}

fn table(here: &Here, lane: &Arc<Lane>, well: bool) -> Read {
    let observed = &here.session.observed;
    let targets = observed.targets();
    let touched = !here.session.run.line.is_empty() && !targets.is_empty();
    // Where a run was to change something and did not, nobody wants to read of hosts that are `ok`.
    let only_read = well && !here.session.changed();
    let seen = targets.iter().filter(|(_, host)| only_read && observed.host(host).seen);
    let seen: BTreeSet<(Name, Name)> = seen.map(|(_, host)| key(host)).collect();
    let mut balances = BTreeMap::new();
    for (fleet, _) in &targets {
        if touched && !fleet.balancers.is_empty() && !balances.contains_key(&fleet.name) {
            balances.insert(fleet.name.clone(), lane.perform(ReadBalance { fleet: fleet.clone() }));
        }
    }
    left::tell(&here.session, lane, &balances, well);
    let hosts: Vec<_> = targets.iter().map(|(_, h)| h.clone()).collect();
    let closing = Here { lane: lane.clone(), ..here.clone() };
    let session = here.session.clone();
    let reads = fan_out::over(&closing, &hosts, move |lane, host| {
        let fleet = session.fleets.get(&host.fleet);
        let told = session.observed.host(host);
        let dead = told.failure.is_some_and(|f| f.reason() == Reason::Unreachable);
        let bare = fleet.app.is_none() || !fleet.releases_to(host);
        if bare || dead || told.left_alone && told.listing.is_none() {
            return Ok(());
        }
        // Who could not be reached when the run began is not waited for once more.
        if let Some(failure) = told.unreachable.filter(|_| told.listing.is_none()) {
            return Err(failure.naming(&session.run.naming));
        }
        lane.perform(ReadReleases::of(&fleet, host)?).map(drop)
    });
    learn_names(lane, observed, &targets, |fleet| !matches!(balances.get(&fleet.name), Some(Err(_))));
    let mut unknown = false;
    let mut unread: Vec<Failure> = balances.values().filter_map(|balance| balance.as_ref().err().cloned()).collect();
    // A machine that two apps are on stands there once for each.
    let called = |host: &Host| match targets.iter().filter(|(_, other)| other.name == host.name).count() {
        1 => host.name.clone(),
        _ => format!("{}/{}", host.fleet, host.name).into(),
    };
    let rows = targets.iter().zip(reads).map(|((fleet, host), read)| {
        let told = observed.host(host);
        let standing = match balances.get(&fleet.name) {
            None => Standing::None,
            Some(Ok(balance)) => balance.standing(fleet, host).unwrap_or_else(|failure| {
                if !unread.contains(&failure) {
                    unread.push(failure);
                }
                Standing::Unknown
            }),
            Some(Err(_)) => Standing::Unknown,
        };
        let lost = read.is_err() && told.changed;
        unknown |= lost || (standing == Standing::Unknown && told.drained);
        let release = |r: &Option<Option<crate::model::Release>>| match r {
            Some(Some(release)) => Some(release.to_string()),
            Some(None) | None => None,
        };
        let name = |r: &Option<Option<crate::model::Release>>| observed.names.of(&r.as_ref()?.as_ref()?.commit);
        let note = told.failure.as_ref().map(|f| f.message.clone()).or(told.note.clone());
        Row {
            host: called(host),
            old: release(&told.old),
            old_name: name(&told.old),
            new: if lost { None } else { release(&told.new) },
            new_name: if lost { None } else { name(&told.new) },
            balancer: standing,
            result: match told.outcome() {
                Outcome::Untouched if seen.contains(&key(host)) => Outcome::Ok,
                outcome => outcome,
            },
            note,
            looked: told.looked,
        }
    });
    let table = rows.collect();
    Read { table, unknown, unread }
}

/// Asks the ledgers what the releases are called that the table has, where the run did not learn it.
///
/// Without an answer they have their numbers.
fn learn_names(
    lane: &Arc<Lane>,
    observed: &Observed,
    targets: &[(Arc<Fleet>, Host)],
    answers: impl Fn(&Fleet) -> bool,
) {
    let mut unnamed: BTreeMap<Name, (Arc<Fleet>, Vec<Commit>)> = BTreeMap::new();
    for (fleet, host) in targets.iter().filter(|(fleet, _)| answers(fleet)) {
        let told = observed.host(host);
        for release in [told.old, told.new].into_iter().flatten().flatten() {
            let (_, commits) = unnamed.entry(fleet.name.clone()).or_insert_with(|| (fleet.clone(), Vec::new()));
            if observed.names.of(&release.commit).is_none() && !commits.contains(&release.commit) {
                commits.push(release.commit);
            }
        }
    }
    for (fleet, commits) in unnamed.into_values().filter(|(_, commits)| !commits.is_empty()) {
        let _ = lane.perform(Consult { fleet, question: Calling { commits } });
    }
}

/// The failure with the lines of the team's own scripts that led to it: the innermost, and the last call in the fabfile.
///
/// A line of the stdlib is only named: nobody mends anything there. It is shown where nothing else is.
fn shown(here: &Here, located: &Located) -> Failure {
    let mut failure = located.failure.clone();
    let written = located.missing.as_deref().filter(|_| failure.help.is_none()).and_then(docs::written);
    if let Some(written) = written {
        failure = failure.help(format!("it is written\n{written}"));
    }
    let resolver = &here.script.resolver;
    let place = |spot: &Spot| resolver.place(&spot.source, spot.at);
    let calls: Vec<&Spot> = located.calls.iter().chain(&located.spot).collect();
    let last = calls.len().saturating_sub(1);
    let own = calls.iter().rposition(|call| !call.source.starts_with("std/")).unwrap_or(last);
    let mut add = |at: usize, label: &str| {
        failure.places.extend(calls.get(at).and_then(|spot| place(spot)).map(|place| place.labelled(label)));
    };
    let mut outer = own;
    match located.failure.places.is_empty() {
        true if own < last => add(own, &format!("fails in {}", named(here, calls[last]))),
        true => add(last, ""),
        // It shows a place of its own, such as a line of a fleet file: any call can be the one that led there.
        false => outer = calls.len(),
    }
    let in_fabfile = |call: &&Spot| call.source.is_empty();
    if outer > own || own == last || !in_fabfile(&calls[own]) {
        let outer = calls[..outer].iter().rposition(in_fabfile);
        outer.into_iter().for_each(|at| add(at, "called here"));
    }
    failure
}

/// A place in a script, in a word.
fn named(here: &Here, spot: &Spot) -> String {
    let source = here.script.resolver.shown(&spot.source);
    spot.at.line().map_or(source.clone(), |line| format!("{source}:{line}"))
}
