//! Looks whether a host can be deployed to, before anything is changed anywhere.
use super::Home;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::Host,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Finds all that would keep a release from being staged: tools, folders and rights that are missing.
#[derive(Clone, Debug, Serialize)]
pub struct Preflight {
    pub host: Host,
    pub home: Home,
}

impl Preflight {
    /// The look at a host of a fleet; `Fabfile` when the fleet has no app.
    pub fn of(fleet: &Fleet, host: &Host) -> Result<Self, Failure> {
        Ok(Self { host: host.clone(), home: Home::of(fleet, host)? })
    }
}

impl Effect for Preflight {
    /// Each problem, worded for people; none if all is well.
    type Outcome = Vec<String>;
    const NAME: &'static str = "preflight";
    const KIND: Kind = Kind::Read;

    fn subject(&self) -> Subject<'_> {
        Subject::Host(&self.host)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        "look whether it can be deployed to".to_owned()
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Vec<String>, Failure> {
        super::on_host::preflight(&at, self).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<Vec<String>> {
        model.machine(&self.host)?;
        Ok(Vec::new())
    }
}
