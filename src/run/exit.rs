//! The exit code that a run ends with.
use crate::{
    failure::{Exit, Failure},
    session::Session,
};

/// The first of 9, 6, 4, 1, 8 where several hold; a signal before all.
pub fn exit(session: &Session, failed: Option<&Failure>, failures: &[Failure], unknown: bool) -> Exit {
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
