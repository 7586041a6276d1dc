//! Puts a commit's tree on a host without making it current.
use super::{
    Amount, Home, PackedTrees, ReadManifest, ReadReleases, ReleaseError, Sent,
    machine::set_up,
    on_host::{named, on},
    packing::pack,
    read_manifest,
    sending::Sending,
};
use crate::{
    effect::*,
    failure::Failure,
    fleet::{Fleet, TreeRules},
    git::app,
    host::Host,
    model::{Model, Predicted, Release},
};
use serde::Serialize;

/// Stages a release: sends and unpacks it, checks every digest, and then makes all of it visible in one step.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    pub host: Host,
    pub release: Release,
    pub home: Home,
    /// The repository that the tree comes from.
    pub repository: String,
    #[serde(flatten)]
    pub rules: TreeRules,
    /// The manifest's digest if the release was made on this machine; if absent, it is the commit's own tree.
    #[serde(rename = "made", skip_serializing_if = "Option::is_none")]
    pub built: Option<String>,
    /// Whether the host hashes every file that it takes from an earlier release.
    #[serde(skip)]
    pub verify: bool,
}

impl Stage {
    /// Returns why staging failed. Another content for a known commit can get a new number only if it was made here.
    fn failed(&self, error: ReleaseError) -> Failure {
        let plain = self.built.is_none() && matches!(error, ReleaseError::Another { .. });
        let failure = on(&self.host)(error);
        let help =
            "was it built, or did `linked`, `tree` or `export_subst` change in the fleet file? Deploy a new commit";
        if plain { failure.help(help) } else { failure }
    }

    /// Makes the effect that stages a commit's own tree, as the fleet file describes the app.
    pub fn of(fleet: &Fleet, host: &Host, release: &Release) -> Result<Self, Failure> {
        let app = app(fleet)?;
        let (home, release) = (Home::of(fleet, host)?, release.clone());
        let (repository, rules) = (app.repository.clone(), app.rules.clone());
        Ok(Self { host: host.clone(), release, home, repository, rules, built: None, verify: false })
    }
}

impl Effect for Stage {
    /// Nothing if nothing was sent, or if rfab can't tell.
    type Outcome = Option<Sent>;
    const NAME: &'static str = "stage";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Staged { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("stage {}", self.release)
    }

    fn ledger_detail(&self) -> LedgerDetail {
        LedgerDetail { commit: Some(self.release.commit.clone()), ..LedgerDetail::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<Sent>, Failure> {
        let (host, home) = (&self.host, &self.home);
        let packed = match &self.built {
            None => pack(&at, &self.repository, &self.release.commit, &self.rules).await?,
            Some(manifest) => match at.real.kept.get::<PackedTrees>().made(manifest) {
                Some(packed) => packed,
                // If every host has the release, it isn't made again here.
                None if read_manifest::manifest(&at, host, home, &self.release).await?.as_ref() == Some(manifest) => {
                    return Ok(None);
                }
                None => return Err(on(host)(ReleaseError::NotMadeHere(manifest.clone()))),
            },
        };
        let (name, by) = (named(&self.release)?, (&*self.repository, &self.rules));
        let sent = Sending { at, host, home, name, packed, by, verify: self.verify }.send().await?;
        sent.map(Some).map_err(|error| self.failed(error))
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<Option<Sent>>, Failure> {
        if let Some(made) = &self.built {
            let (host, release, home) = (self.host.clone(), self.release.clone(), self.home.clone());
            let there = ask.read(ReadManifest { host, release, home })?;
            return Ok(if there.as_ref() == Some(made) { Happened::Done(None) } else { Happened::Not });
        }
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.releases.contains(&self.release) { Happened::Done(None) } else { Happened::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<Option<Sent>> {
        let machine = set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        if machine.full && !machine.releases.get("its releases")?.contains(&self.release) {
            let [need, free] = [1, 0].map(Amount::Bytes);
            return Err(on(&self.host)(ReleaseError::Full { need, free, biggest: Vec::new() }).into());
        }
        let mut releases = machine.releases.get("its releases")?.clone();
        if !releases.insert(self.release.clone()) && machine.made.get(&self.release) != self.built.as_ref() {
            let digest = |made: Option<&String>| made.cloned().unwrap_or_else(|| self.release.commit.to_string());
            let there = digest(machine.made.get(&self.release));
            let another = ReleaseError::Another { there, wanted: digest(self.built.as_ref()) };
            return Err(self.failed(another).into());
        }
        machine.releases.predict(releases);
        machine.made.extend(self.built.clone().map(|made| (self.release.clone(), made)));
        model.takes(800);
        Ok(None)
    }
}
