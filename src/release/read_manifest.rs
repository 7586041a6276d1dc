//! Reads which tree a release on a host was made from.
use super::{
    Home, ReleaseError,
    list::listing,
    on_host::{named, on},
};
use crate::{
    effect::*,
    failure::Failure,
    host::Host,
    model::{Model, Predicted, Release},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Reads the digest of a release's manifest on a host.
#[derive(Clone, Debug, Serialize)]
pub struct ReadManifest {
    pub host: Host,
    pub release: Release,
    pub home: Home,
}

impl Read for ReadManifest {
    /// Nothing if the host doesn't have the release.
    type Outcome = Option<String>;
    const NAME: &'static str = "read_manifest";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("read what {} is made from", self.release)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        manifest(&at, &self.host, &self.home, &self.release).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<String>> {
        let machine = model.machine(&self.host)?;
        let there = machine.releases.get("its releases")?.contains(&self.release);
        let plain = || hex::encode(Sha256::digest(&*self.release.commit));
        Ok(there.then(|| machine.made.get(&self.release).cloned().unwrap_or_else(plain)))
    }
}

/// Reads the digest of a release's manifest; nothing if the host doesn't have the release.
pub(super) async fn manifest(
    at: &At<'_>,
    host: &Host,
    home: &Home,
    release: &Release,
) -> Result<Option<String>, Failure> {
    let name = named(release)?;
    match listing(at, host, home).await? {
        Err(ReleaseError::NotSetUp(_)) => Ok(None),
        listed => Ok(listed.map_err(on(host))?.releases.into_iter().find(|r| r.name == name).map(|r| r.manifest)),
    }
}
