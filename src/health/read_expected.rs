//! Reads from a host what it should serve.
use super::Expected;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    model::{Commit, Model, Predicted},
    release::{Listing, ReadReleases},
    service::ReadInstalled,
};
use serde::Serialize;
use std::sync::Arc;

/// Reads what a host should serve: the installed package, otherwise the current release.
#[derive(Clone, Serialize)]
pub struct ReadExpected {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub host: Host,
}

impl ReadExpected {
    fn installed(&self) -> Result<Option<ReadInstalled>, Failure> {
        let service = self.fleet.app.as_ref().and_then(|app| app.service.as_ref());
        let asked = service.is_some_and(|service| service.installed.is_some());
        asked.then(|| ReadInstalled::of(&self.fleet, &self.host)).transpose()
    }
}

impl Read for ReadExpected {
    type Outcome = Expected;
    const NAME: &'static str = "read_expected";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        "read what it should serve".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Expected, Failure> {
        // rfab can't tell what a host without the app should serve.
        if !self.fleet.releases_to(&self.host) {
            return Ok(Expected::default());
        }
        let installed = self.installed()?;
        if let Some(read) = &installed
            && let Some(version) = Effect::carry_out(read, at).await?
        {
            return Ok(Expected::of(version.into(), Vec::new()));
        }
        let listing = Effect::carry_out(&ReadReleases::of(&self.fleet, &self.host)?, at).await?;
        current(&self.host, listing, installed.is_some())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Expected> {
        // rfab can't tell what a host without the app should serve.
        if !self.fleet.releases_to(&self.host) {
            return Ok(Expected::default());
        }
        let installed = self.installed()?;
        if let Some(read) = &installed
            && let Some(version) = Effect::predict(read, model)?
        {
            return Ok(Expected::of(version.into(), Vec::new()));
        }
        let listing = Effect::predict(&ReadReleases::of(&self.fleet, &self.host)?, model)?;
        Ok(current(&self.host, listing, installed.is_some())?)
    }
}

/// Returns a host's current release.
///
/// The service needn't report a release of another tool, because nothing recorded its names. The same holds if no tool
/// has put anything into the app's folder.
fn current(host: &Host, listing: Listing, packaged: bool) -> Result<Expected, Failure> {
    if let Some(current) = listing.current {
        return Ok(Expected::of(current.commit, Vec::new()));
    }
    if let Some(target) = listing.foreign {
        let folder = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        return Ok(Expected { id: listing.revision.map(Commit::from), names: vec![folder], sure: false });
    }
    match listing.set_up || packaged {
        true if packaged => Err(Failure::refused("has no package, so rfab leaves it out").on(&host.name)),
        true => Err(Failure::refused("has no release, so rfab leaves it out").on(&host.name)),
        false => Ok(Expected::default()),
    }
}
