//! The release programs, run on a host as the app's user.
use super::{ReleaseError, ReleaseName, program::travelling};
use crate::{
    command::Command,
    effect::At,
    failure::Failure,
    host::{Host, Name},
    model::Release,
    port::{Ended, Job},
    remote::trace,
};
use std::time::Duration;

/// The time limit for a program that sends nothing.
pub(super) const WITHIN: Duration = Duration::from_secs(120);

/// Runs a job as the app's user.
pub(super) async fn run(at: &At<'_>, host: &Host, user: &Option<Name>, job: Job<'_>) -> Result<Ended, Failure> {
    let (command, packs) = travelling(job.command);
    let job = Job { command: &command, user: user.clone(), packs, ..job };
    at.real.site(&host.fleet).transport.run(host, job).await
}

/// Makes the job of a program, with nothing on stdin.
pub(super) fn plain(command: &Command) -> Job<'_> {
    Job { timeout: Some(WITHIN), ..Job::new(command) }
}

/// Makes an id for this call's temporary files on the host.
pub(super) fn id(at: &At<'_>) -> String {
    let id = trace("", "", at.lane.run(), at.id).id;
    id[..id.len().min(100)].to_owned()
}

/// Returns the name of a release's folder.
pub(super) fn named(release: &Release) -> Result<ReleaseName, Failure> {
    ReleaseName::new(release.number, &release.commit)
        .ok_or_else(|| Failure::failed(format!("`{release}` isn't the name of a release")))
}

/// Turns an error into the failure of a host.
pub(super) fn on(host: &Host) -> impl Fn(ReleaseError) -> Failure + '_ {
    move |error| {
        let failure = Failure::from(error);
        failure.on(&host.name)
    }
}
