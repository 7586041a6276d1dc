//! Failures of calls without an outcome.
use super::status::{NOT_BEGUN, UNWRITTEN};
use crate::{
    control::shown,
    failure::Failure,
    host::Host,
    port::{Ended, Job},
    ssh::connection::unreachable,
};

/// Makes the failure of a call that may have begun, and that has no known end.
pub(super) fn cut_off(host: &Host, job: &Job<'_>, why: &str) -> Failure {
    // A call that leaves a trace may have changed something; any other can be repeated.
    if job.trace.is_some() || job.ledger.is_some() {
        Failure::unknown(format!("rfab can't tell how the command ended: {why}"))
            .on(&host.name)
            .help("check on the host before you do it again")
    } else {
        unreachable(host, why)
    }
}

/// Makes the failure of a call that the wrapper couldn't begin; `what` names the reason.
pub(super) fn not_begun(host: &Host, what: &str, job: &Job<'_>) -> Failure {
    let message = match what {
        "folder" => {
            format!("there is no folder `{}` to run it in", job.cd.as_deref().unwrap_or_default())
        }
        "ledger" => "its ledger can't be written, so nothing was done".to_owned(),
        "trace" => {
            let folder = job.trace.as_ref().map(|trace| trace.folder.as_str()).unwrap_or_default();
            let message = format!("its state folder `{folder}` can't be written, so nothing was done");
            return Failure::failed(message).on(&host.name).help(
                "free some space, or give the login user that folder; or name one in the fleet file that they can write to, such as \
                 `state = \"/var/lib/rfab\"`",
            );
        }
        other => format!("the command didn't begin: {}", shown(other)),
    };
    Failure::failed(message).on(&host.name)
}

/// Turns a call that the wrapper never began into a failure.
pub(crate) fn finished(host: &Host, job: &Job<'_>, ended: Ended) -> Result<Ended, Failure> {
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
