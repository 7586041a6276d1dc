//! Looks whether a staged release is still what was staged.
use super::{Error, Home, on_host};
use crate::{
    effect::*,
    failure::Failure,
    host::Host,
    model::{Model, Predicted, Release},
};
use serde::Serialize;

/// Compares a release on a host with its manifest, to the last byte.
#[derive(Clone, Debug, Serialize)]
pub struct Verify {
    pub host: Host,
    pub release: Release,
    pub home: Home,
}

impl Read for Verify {
    /// What is missing or has another content, at most twenty names; what was added does not count.
    type Outcome = Vec<String>;
    const NAME: &'static str = "verify";

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn describe(&self) -> String {
        format!("compare {} with its manifest", self.release)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        on_host::verify(&at, self).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<String>> {
        let machine = model.machine(&self.host)?;
        if !machine.releases.get("its releases")?.contains(&self.release) {
            return Err(on_host::on(&self.host)(Error::NotStaged).into());
        }
        let damaged = machine.damaged.contains(&self.release);
        Ok(damaged.then(|| "index.html".to_owned()).into_iter().collect())
    }
}
