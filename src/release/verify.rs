//! Checks whether a staged release is unchanged.
use super::{
    Home, ReleaseError, ReleaseName,
    answer::{AnswerLines, digits, text},
    on_host::{id, named, on, plain, run},
    program::{Program, checked},
};
use crate::{
    command::Command,
    effect::*,
    failure::Failure,
    host::Host,
    model::{Model, Predicted, Release},
    port::Ended,
};
use serde::{Deserialize, Serialize};

/// Compares every byte of a release on a host with its manifest.
#[derive(Clone, Debug, Serialize)]
pub struct Verify {
    pub host: Host,
    pub release: Release,
    pub home: Home,
}

impl Read for Verify {
    /// What is missing or has another content, at most twenty names; additions don't count.
    type Outcome = Vec<String>;
    const NAME: &'static str = "verify";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("compare {} with its manifest", self.release)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        let (host, home, name) = (&self.host, &self.home, named(&self.release)?);
        let command = verify(&home.path, &name, &id(&at)).map_err(on(host))?;
        let ended = run(&at, host, &home.user, plain(&command)).await?;
        let verified = verified(&ended).map_err(on(host))?;
        Ok([verified.missing, verified.changed].concat())
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<String>> {
        let machine = model.machine(&self.host)?;
        if !machine.releases.get("its releases")?.contains(&self.release) {
            return Err(on(&self.host)(ReleaseError::NotStaged).into());
        }
        let damaged = machine.damaged.contains(&self.release);
        Ok(damaged.then(|| "index.html".to_owned()).into_iter().collect())
    }
}

/// Makes the command that compares a staged release with its manifest and computes every digest again.
pub fn verify(path: &str, name: &ReleaseName, id: &str) -> Result<Command, ReleaseError> {
    Program::Verify.command(path, &[name.to_string(), checked(id)?])
}

/// How a release differs from its manifest; at most ten names of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The manifest's digest, to be compared with the staged one.
    pub manifest: String,
    /// Names in the manifest that are missing in the tree, or have another kind, size or mode there.
    pub missing: Vec<String>,
    /// Names in the tree that aren't in the manifest, such as what `prepare` made.
    pub extra: Vec<String>,
    /// Files with another content.
    pub changed: Vec<String>,
    /// The total number of differences.
    pub differences: u64,
}

impl Verified {
    /// Returns whether everything that was staged exists unchanged.
    pub fn whole(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty()
    }
}

/// Reads the answer of `verify`.
pub fn verified(ended: &Ended) -> Result<Verified, ReleaseError> {
    let lines = AnswerLines::of(Program::Verify, ended)?;
    let mut verified = Verified::default();
    lines.each(|word, rest| {
        match (word, rest) {
            ("manifest", [digest]) if digits(digest, 64) => verified.manifest = digest.to_string(),
            ("missing", [line]) => verified.missing.push(text(line)?),
            ("extra", [line]) => verified.extra.push(text(line)?),
            ("changed", [line]) => verified.changed.push(text(line)?),
            ("missing-count" | "extra-count" | "changed-count", [count]) => {
                verified.differences += count.parse::<u64>().ok()?;
            }
            _ => return None,
        }
        Some(())
    })?;
    if verified.manifest.is_empty() {
        return Err(lines.nonsense("no manifest"));
    }
    Ok(verified)
}
