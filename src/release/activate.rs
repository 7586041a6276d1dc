//! Makes a staged release the current one.
use super::{
    Current, Home, ReadReleases, ReleaseError, ReleaseName,
    answer::{AnswerLines, text},
    machine::set_up,
    on_host::{id, named, on, plain, run},
    program::{Program, checked},
};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    host::Host,
    model::{Model, Predicted, Release},
    port::{Ended, Job},
};
use serde::{Deserialize, Serialize};

/// Makes a release current by one rename.
#[derive(Clone, Debug, Serialize)]
pub struct Activate {
    pub host: Host,
    pub release: Release,
    pub home: Home,
    /// Folders with files that stay reachable from release to release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// Other names that a service may use for the commit, for the host's ledger.
    #[serde(skip_serializing)]
    pub names: Vec<String>,
}

impl Effect for Activate {
    type Outcome = ();
    const NAME: &'static str = "activate";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Served { host: &self.host }
    }

    fn describe(&self) -> String {
        format!("activate {}", self.release)
    }

    fn ledger_detail(&self) -> LedgerDetail {
        let names = Some(self.names.clone());
        LedgerDetail { commit: Some(self.release.commit.clone()), names, ..LedgerDetail::default() }
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let (host, home, name) = (&self.host, &self.home, named(&self.release)?);
        let command = activate(&home.path, &name, &id(&at), &self.assets).map_err(on(host))?;
        let ended = run(&at, host, &home.user, Job { ledger: at.ledger_lines(), ..plain(&command) }).await?;
        activated(&ended, &name).map(drop).map_err(on(host))
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let there = ask.read(ReadReleases { host: self.host.clone(), home: self.home.clone() })?;
        Ok(if there.current.as_ref() == Some(&self.release) { Happened::Done(()) } else { Happened::Not })
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        let machine = set_up(model, &self.host, "`releases`, `shared` or `.rfab`")?;
        if !machine.releases.get("its releases")?.contains(&self.release) {
            return Err(on(&self.host)(ReleaseError::NotStaged).into());
        }
        machine.current.predict(Some(self.release.clone()));
        (machine.foreign, machine.revision) = (None, None);
        model.harms(&self.host, "activation");
        Ok(())
    }
}

/// Makes a staged release current by one rename, and copies into it what it lacks of the other releases' `assets`.
pub fn activate(path: &str, name: &ReleaseName, id: &str, assets: &[String]) -> Result<Command, ReleaseError> {
    Program::Activate.command(path, &[&[name.to_string(), checked(id)?], assets].concat())
}

/// What was current before a release was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    pub old: Current,
    /// Whether the release was current already.
    pub unchanged: bool,
}

/// Reads the answer of `activate`.
pub fn activated(ended: &Ended, name: &ReleaseName) -> Result<Activated, ReleaseError> {
    let lines = AnswerLines::of(Program::Activate, ended)?;
    let mut said = lines.each(|word, rest| match (word, rest) {
        ("unchanged", []) => Some(Activated { old: Current::Release(name.clone()), unchanged: true }),
        ("activated", ["-"]) => Some(Activated { old: Current::None, unchanged: false }),
        ("activated", [old]) => {
            let old = text(old)?;
            let release = old.strip_prefix("releases/").and_then(|name| name.parse().ok());
            Some(Activated { old: release.map_or(Current::Foreign(old), Current::Release), unchanged: false })
        }
        _ => None,
    })?;
    match (said.pop(), said.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(lines.nonsense("not one answer")),
    }
}
