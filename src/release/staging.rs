//! Puts a commit's tree on a host, not yet current.
use super::{Amount, Error, Home, ReadReleases, activating::set_up, on_host};
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
}

impl Stage {
    pub fn of(fleet: &Fleet, host: &Host, release: &Release) -> Result<Self, Failure> {
        let app = app(fleet)?;
        let (home, release) = (Home::of(fleet, host)?, release.clone());
        Ok(Self { host: host.clone(), release, home, repository: app.repository.clone(), linked: app.linked.clone() })
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
        releases.insert(self.release.clone());
        machine.releases.predict(releases);
        model.takes(800);
        Ok(())
    }
}
