//! Puts a commit's tree on a host, not yet current.
use super::{Amount, Error, Home, ReadManifest, ReadReleases, activating::set_up, on_host};
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    git::app,
    host::Host,
    model::{Model, Predicted, Release},
};
use serde::Serialize;

/// Stages a release: sent, unpacked, every digest checked, then visible at once under its name.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    pub host: Host,
    pub release: Release,
    pub home: Home,
    /// The repository that the tree comes from.
    pub repository: String,
    pub linked: Vec<String>,
    /// The digest of the manifest of what was made on this machine; else it is the commit's own tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
}

impl Stage {
    /// Why it was not staged; what has another content can get a number of its own only if it was made here.
    pub(super) fn failed(&self, error: Error) -> Failure {
        let plain = self.made.is_none() && matches!(error, Error::Another { .. });
        let failure = on_host::on(&self.host)(error);
        let help = "was it built, or `linked` changed in the fleet file? Deploy a commit that is new";
        if plain { failure.help(help) } else { failure }
    }

    pub fn of(fleet: &Fleet, host: &Host, release: &Release) -> Result<Self, Failure> {
        let app = app(fleet)?;
        let (home, release) = (Home::of(fleet, host)?, release.clone());
        let (repository, linked) = (app.repository.clone(), app.linked.clone());
        Ok(Self { host: host.clone(), release, home, repository, linked, made: None })
    }
}

impl Effect for Stage {
    type Outcome = ();
    const NAME: &'static str = "stage";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("stage {}", self.release)
    }

    fn story(&self) -> Story {
        Story { commit: Some(self.release.commit.clone()), ..Story::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        super::on_host::stage(&at, self).await
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<()>, Failure> {
        if let Some(made) = &self.made {
            let (host, release, home) = (self.host.clone(), self.release.clone(), self.home.clone());
            let there = ask.read(ReadManifest { host, release, home })?;
            return Ok(if there.as_ref() == Some(made) { Seen::Done(()) } else { Seen::Not });
        }
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.releases.contains(&self.release) { Seen::Done(()) } else { Seen::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let machine = set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        if machine.full && !machine.releases.get("its releases")?.contains(&self.release) {
            let [need, free] = [1, 0].map(Amount::Bytes);
            return Err(on_host::on(&self.host)(Error::Full { need, free, biggest: Vec::new() }).into());
        }
        let mut releases = machine.releases.get("its releases")?.clone();
        if !releases.insert(self.release.clone()) && machine.made.get(&self.release) != self.made.as_ref() {
            let digest = |made: Option<&String>| made.cloned().unwrap_or_else(|| self.release.commit.to_string());
            let there = digest(machine.made.get(&self.release));
            let another = Error::Another { there, wanted: digest(self.made.as_ref()) };
            return Err(self.failed(another).into());
        }
        machine.releases.predict(releases);
        machine.made.extend(self.made.clone().map(|made| (self.release.clone(), made)));
        model.takes(800);
        Ok(())
    }
}
