//! `rfab --trust HOST`: shows the keys on the way to a host, and trusts them after a yes.
use super::{facts, folders, request::Request, wiring};
use crate::{
    control::shown,
    effect::Fleets,
    event::{Event, Listener},
    fabfile::Project,
    failure::{Cause, Exit, Failure, Reason},
    fleet::{Fleet, is_name},
    host::Host,
    line::CommandLine,
    misspelled::did_you_mean,
    port::Person,
    report,
    script::{Here, Invocation, current_targets, failure_of},
    session::{Faults, Session, Stop},
    ssh::{KeyStanding, Offer, OtherKnownKey, RouteKeys},
    world::{STACK, nowhere::Nowhere},
};
use std::{
    collections::BTreeSet,
    env,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

/// Shows the keys of a host and of the hosts on the route to it, and trusts those that a person says yes to.
///
/// `host` may be `all`, or `HOST=FINGERPRINT`, such as `web1=SHA256:…`: then rfab asks nobody about the host itself.
pub(super) fn trust(
    request: &Request,
    project: &Project,
    line: Option<&CommandLine>,
    host: &str,
) -> Result<Exit, Failure> {
    let (name, expected) = match host.split_once('=') {
        Some((name, print)) => (name, Some(print)),
        None => (host, None),
    };
    let here = wiring::world(request, project, Arc::new(report::Terminal))?;
    let fleets = fleets(request, project, line, Nowhere { here: Some(here) })?;
    let naming = line.map(CommandLine::naming).unwrap_or_default();
    if host == ALL {
        return everybody(project, &fleets, &naming);
    }
    let (fleet, host) = found(&fleets, name)?;
    taken_up(project, fleet.as_deref(), host, name, expected).map_err(|failure| failure.naming(&naming))?;
    Ok(Exit::Done)
}

/// The word that stands for every machine of the fleets.
const ALL: &str = "all";

/// Offers the keys of every machine of the fleets, the balancers first; continues if one of them fails.
fn everybody(project: &Project, fleets: &[Arc<Fleet>], naming: &str) -> Result<Exit, Failure> {
    let (mut wrong, mut seen) = (None, BTreeSet::new());
    if fleets.is_empty() {
        return Err(Failure::new(Cause::Fabfile, "`--trust all` needs a fleet")
            .help("name the fleet before it: `rfab prod --trust all`"));
    }
    for fleet in fleets {
        // Two apps may share a machine.
        let machines = fleet.balancers.iter().map(|b| &b.host).chain(&fleet.hosts);
        for host in machines.filter(|host| seen.insert(host.address().to_owned())) {
            if let Err(failure) = taken_up(project, Some(fleet), host.clone(), &host.name, None) {
                let failure = failure.naming(naming);
                report::complain(&format!("error: {}", failure.message));
                wrong.get_or_insert(failure);
            }
        }
    }
    wrong.map_or(Ok(Exit::Done), |failure| Ok(failure.reason().exit()))
}

/// Shows the keys on the way to one host, and trusts those that are agreed to.
fn taken_up(
    project: &Project,
    fleet: Option<&Fleet>,
    host: Host,
    name: &str,
    expected: Option<&str>,
) -> Result<(), Failure> {
    let (home, _) = folders::folders()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::failed(format!("no runtime: {e}")))?;
    let folder = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let way = RouteKeys::on_the_way(fleet, host, &project.script.folder, &home, folder.as_deref());
    let way = runtime.block_on(way)?;
    for at in 0..way.hosts() {
        let offer = runtime.block_on(way.offer(at))?;
        let last = at + 1 == way.hosts();
        let expected = expected.filter(|_| last);
        match &offer.standing {
            KeyStanding::Known => {
                as_expected(&offer, expected)?;
                report::say(&format!("{} is known already: {}", called(&offer), offer.fingerprint));
                continue;
            }
            KeyStanding::Vouched { authority, place } => {
                as_expected(&offer, expected)?;
                let (its, called) = (&offer.fingerprint, called(&offer));
                report::say(&format!(
                    "the key of {called} is signed by the authority in `{place}`, {authority}: {its}"
                ));
                continue;
            }
            KeyStanding::Strange { known, .. } => agreed(&offer, known, expected, &report::Terminal, name)?,
        }
        let file = way.take_up(&offer)?;
        report::say(&format!("{} is trusted now; commit `{}`", called(&offer), file.display()));
    }
    Ok(())
}

fn called(offer: &Offer) -> String {
    if offer.place == offer.name { format!("`{}`", offer.name) } else { format!("`{}` ({})", offer.place, offer.name) }
}

/// Refuses a key that doesn't have the expected fingerprint.
fn as_expected(offer: &Offer, expected: Option<&str>) -> Result<(), Failure> {
    let print = offer.fingerprint.split_once(' ').map(|(_, print)| print);
    match expected.filter(|expected| print != Some(expected)) {
        None => Ok(()),
        Some(expected) => {
            let (called, is) = (called(offer), &offer.fingerprint);
            let message = format!("the key of {called} is {is}, not the expected one, `{expected}`");
            Err(Failure::refused(message).unchanged().help("ask the people who run the host"))
        }
    }
}

/// Shows a key, and requires the expected fingerprint or a person's yes.
fn agreed(
    offer: &Offer,
    known: &[OtherKnownKey],
    expected: Option<&str>,
    person: &dyn Person,
    name: &str,
) -> Result<(), Failure> {
    let mut text = format!("{} shows this key:\n  {}\n", called(offer), offer.fingerprint);
    let kind = |print: &str| print.split(' ').next().map(str::to_owned);
    for OtherKnownKey { is_authority, fingerprint, file, line } in known {
        let what = match is_authority {
            true => "NOBODY VOUCHES FOR IT. The authority",
            false if kind(fingerprint) == kind(&offer.fingerprint) => "IT HAS CHANGED. It was",
            false => "IT IS ANOTHER KIND OF KEY. The known one is",
        };
        text += &format!("{what}, according to `{}` line {line}:\n  {fingerprint}\n", file.display());
    }
    report::say(&text);
    if expected.is_some() {
        return as_expected(offer, expected);
    }
    let question = if known.is_empty() {
        "Ask the people who run it for its fingerprint. Is it this one, and do you trust it?"
    } else {
        "Somebody may be intercepting the connection. Did the people who run it say that its key is now this one?"
    };
    match person.confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::refused(format!("nobody confirmed the key of {}", called(offer))).unchanged()),
        None => Err(Failure::refused(format!("trusting the key of {} requires a terminal, and rfab isn't running in one", called(offer)))
            .help(format!("run this line in an interactive terminal, or name the fingerprint that you expect: `--trust {name}=SHA256:…`"))),
    }
}

/// Returns the host of that name or address among the fleets, or else a host for ssh's configuration to know.
fn found(fleets: &[Arc<Fleet>], name: &str) -> Result<(Option<Arc<Fleet>>, Host), Failure> {
    for fleet in fleets {
        let of_balancer = fleet.balancers.iter().find(|b| *b.name == *name).map(|b| &b.host);
        let mut hosts = fleet.hosts.iter().chain(fleet.balancers.iter().map(|b| &b.host));
        if let Some(host) = hosts.find(|h| *h.name == *name || h.address() == name).or(of_balancer) {
            return Ok((Some(fleet.clone()), host.clone()));
        }
    }
    if !is_name(name) && name.parse::<std::net::IpAddr>().is_err() {
        return Err(Failure::new(Cause::Fabfile, format!("`{}` isn't a host's name", shown(name))));
    }
    // A misspelled name isn't a new host: rfab would look it up on the network.
    let machines = fleets.iter().flat_map(|f| f.hosts.iter().chain(f.balancers.iter().map(|b| &b.host)));
    if let Some(meant) = did_you_mean(name, machines.map(|host| &*host.name)) {
        let message = format!("no host of these fleets is called `{name}`");
        return Err(Failure::new(Cause::Fabfile, message).help(meant));
    }
    let fleet = fleets.first().cloned();
    let of = fleet.as_ref().map_or("".into(), |fleet| fleet.name.clone());
    let (address, group, roles, vars) = (None, None, Vec::new(), Default::default());
    Ok((fleet, Host { fleet: of, name: name.into(), address, group, roles, vars }))
}

/// Returns the fleets that the words name, or else the default task, without asking any host or doing anything.
pub(super) fn fleets(
    request: &Request,
    project: &Project,
    line: Option<&CommandLine>,
    nowhere: Nowhere,
) -> Result<Vec<Arc<Fleet>>, Failure> {
    let known = Arc::new(Fleets::default());
    let facts = facts::facts(request, project, line.map_or(String::new(), ToString::to_string));
    let (world, stop) = (Arc::new(nowhere), Arc::new(Stop::default()));
    let session = Session::new(facts, known.clone(), world, Arc::new(Nobody), Faults::default(), stop, None);
    let name = || {
        let (lane, targets) = (session.lane(), Arc::new(Mutex::new(None)));
        let (script, session, defers, listeners) =
            (project.script.clone(), session.clone(), Arc::default(), Arc::default());
        let here = Here { script, session, lane, targets, defers, listeners };
        let Some(line) = line else {
            return match here.script.default_targets {
                Some(_) => current_targets(&here).map(drop),
                None => Ok(()),
            };
        };
        line.calls.iter().filter(|call| call.names_hosts).try_for_each(|call| {
            let options = call.takes_options.then(|| call.options.clone());
            let (function, arguments) = (call.function.clone(), call.arguments.clone());
            here.script.call(&here, &Invocation { function, arguments, options }).map(drop)
        })
    };
    let named = thread::scope(|scope| {
        let naming = || name().map_err(|e| failure_of(&e));
        let naming = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, naming);
        naming
            .map_err(|e| Failure::failed(format!("no thread: {e}")))?
            .join()
            .map_err(|_| Failure::failed("internal error").help("report this bug"))
    })?;
    let mut fleets = known.all();
    // If an app was chosen, only its machines are meant.
    let chosen: Vec<_> = fleets.iter().filter_map(|fleet| fleet.of.clone()).collect();
    fleets.retain(|fleet| !chosen.contains(&fleet.name));
    // A selection that asks the balancer is refused, but it names its fleet.
    match named {
        Err(failure) if fleets.is_empty() || failure.reason() != Reason::Refused => Err(failure),
        _ => Ok(fleets),
    }
}

struct Nobody;

impl Listener for Nobody {
    fn tell(&self, _: &Event) {}
}
