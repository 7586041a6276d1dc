//! The exit code that a run ends with.
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// Returns the exit code. A signal comes first; then, if several codes apply, the first of 9, 6, 4, 1, 8.
pub(super) fn exit(session: &Session, failed: Option<&Failure>, failures: &[Failure], unknown: bool) -> Exit {
    match session.stopped() {
        Some(1) => return Exit::HungUp,
        Some(15) => return Exit::Terminated,
        Some(_) => return Exit::Interrupted,
        None => {}
    }
    let mut exit = failed.map_or(Exit::Done, |failure| failure.reason().exit());
    for failure in failures {
        // Even if the task handled a host's failure, the host needs attention.
        let of_host = failure.reason().exit();
        exit = if exit == Exit::Done { of_host } else { exit.worse(of_host) };
    }
    if unknown && exit != Exit::Done {
        exit = exit.worse(Exit::Unknown);
    }
    // `Refused` means that nothing was changed.
    if exit == Exit::Refused && session.observed.changed() {
        exit = Exit::Failed;
    }
    if exit == Exit::Done && !session.observed.all_left_out().is_empty() {
        exit = Exit::LeftOut;
    }
    exit
}
