//! The lines that can be typed after a run that isn't done.
use crate::{
    failure::{Cause, Exit},
    host::Host,
    session::{ConsentFlag, Session},
};

/// The lines without the program's name, the best first; none where no line is known that could end otherwise.
///
/// A line that could do something twice isn't among them: a person who resumes a run first looks at what it did.
pub(super) fn lines(session: &Session, exit: Exit, over: bool) -> Vec<String> {
    let mut next = if over { session.observed.all_next() } else { chosen(session, exit) };
    next.retain(|line| !line.is_empty());
    let done = matches!(exit, Exit::Done | Exit::LeftOut);
    if over && !done && session.journaled && (session.changed() || session.observed.did_once()) {
        next = resuming(session, exit);
    }
    if let Some(trusting) = trusting(session).filter(|_| !over) {
        next.insert(0, trusting);
    }
    next
}

/// Returns the lines after a run that stopped.
fn chosen(session: &Session, exit: Exit) -> Vec<String> {
    let (run, observed) = (&session.run, &session.observed);
    let begun = session.journaled && (session.changed() || observed.did_once());
    if exit == Exit::Refused && observed.overtaken() {
        // Another run may have overtaken the same line, or it may repeat what may be done only once.
        return match &run.undoes {
            Some(undone) => vec![format!("--show {undone}")],
            None if session.once_before => vec![format!("--show {}", run.id)],
            None => vec![again(session, exit)],
        };
    }
    if observed.is_typed_again() && run.undoes.is_none() {
        return vec![again(session, exit)];
    }
    if begun || run.undoes.is_some() && exit != Exit::Fabfile {
        return resuming(session, exit);
    }
    let scripted = observed.all_next();
    match exit {
        Exit::Usage | Exit::Fabfile | Exit::NoHosts => scripted,
        _ if !scripted.is_empty() => scripted,
        // The same line would be refused again.
        Exit::Refused if observed.unsaid().is_none() => Vec::new(),
        _ => vec![again(session, exit)],
    }
}

/// Returns the line that finishes a run which changed something, and the line that undoes it.
fn resuming(session: &Session, exit: Exit) -> Vec<String> {
    let run = &session.run;
    let wait = if exit == Exit::Locked { " --wait" } else { "" };
    let yes = |resumed: bool| match (session.observed.unsaid(), &run.allowed.yes) {
        (Some(fleet), _) => format!(" --yes={fleet}"),
        // A resumed run has the yes that was typed with it.
        (None, ConsentFlag::Fleet(fleet)) if !resumed => format!(" --yes={fleet}"),
        _ => String::new(),
    };
    let abort = |of: &str| format!("--abort {of}{wait}{}", yes(false));
    let resume = || format!("--resume {}{wait}{}", run.id, yes(true));
    match &run.undoes {
        Some(undone) => vec![abort(undone)],
        // What ran on this machine can't be undone.
        None if !session.changed() => vec![resume()],
        // It isn't what it began with: it isn't resumed as it is.
        None if exit == Exit::Fabfile && run.attempt > 0 => vec![format!("--show {}", run.id), abort(&run.id)],
        None => vec![resume(), abort(&run.id)],
    }
}

/// Returns the line again, with the flags that it lacked.
fn again(session: &Session, exit: Exit) -> String {
    let mut flags = session.run.flags.clone();
    if let Some(fleet) = session.observed.unsaid() {
        flags.retain(|flag| !flag.starts_with("--yes"));
        flags.push(format!("--yes={fleet}"));
    }
    if exit == Exit::Locked {
        flags.push("--wait".to_owned());
    }
    flags.push(session.run.line.clone());
    flags.join(" ")
}

/// Returns the line that trusts the unknown host keys, if there are any.
fn trusting(session: &Session) -> Option<String> {
    let strange = |host: &&Host| {
        session.observed.host(host).unreachable.is_some_and(|failure| failure.cause == Cause::HostKeyUnknown)
    };
    let fleets = session.fleets.all();
    let hosts = fleets.iter().flat_map(|fleet| fleet.hosts.iter().chain(fleet.balancers.iter().map(|b| &b.host)));
    let strange: Vec<&Host> = hosts.filter(strange).collect();
    let whose = if strange.len() > 1 { "all" } else { &strange.first()?.name };
    Some(format!("{} --trust {whose}", session.run.naming).trim_start().to_owned())
}
