//! The programs of releases, run on a host by the app's user.
use super::{ReleaseError, ReleaseName};
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

/// How long a program may take that sends nothing.
pub(super) const WITHIN: Duration = Duration::from_secs(120);

/// Runs a job as the app's user.
pub(super) async fn run(at: &At<'_>, host: &Host, user: &Option<Name>, job: Job<'_>) -> Result<Ended, Failure> {
    at.real.site(&host.fleet).transport.run(host, Job { user: user.clone(), ..job }).await
}

/// Makes a program's job, with nothing on stdin.
pub(super) fn plain(command: &Command) -> Job<'_> {
    Job { timeout: Some(WITHIN), ..Job::new(command) }
}

/// Makes an identity for temporary files on the host: of this call alone.
pub(super) fn id(at: &At<'_>) -> String {
    let id = trace("", "", at.lane.run(), at.id).id;
    id[..id.len().min(100)].to_owned()
}

/// Returns the name of a release's folder.
pub(super) fn named(release: &Release) -> Result<ReleaseName, Failure> {
    ReleaseName::new(release.number, &release.commit)
        .ok_or_else(|| Failure::failed(format!("`{release}` isn't the name of a release")))
}

/// Words an error of a host.
pub(super) fn on(host: &Host) -> impl Fn(ReleaseError) -> Failure + '_ {
    move |error| {
        let failure = Failure::from(error);
        failure.on(&host.name)
    }
}
