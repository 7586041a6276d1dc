//! Finds a build that this machine keeps.
use super::{BuildRequest, PackedTrees, name::short};
use crate::{
    effect::*,
    failure::Failure,
    model::{Model, Predicted},
};
use serde::Serialize;

/// Finds a build of a commit that this machine keeps.
#[derive(Clone, Debug, Serialize)]
pub struct ReadBuilt {
    pub of: BuildRequest,
    /// Whether only a build of this run counts.
    pub own: bool,
}

impl Read for ReadBuilt {
    /// The digest of its manifest.
    type Outcome = Option<String>;
    const NAME: &'static str = "read_built";

    fn subject(&self) -> Subject<'_> {
        Subject::Repository(&self.of.repository)
    }

    fn describe(&self) -> String {
        format!("check whether {} was built here", short(&self.of.commit))
    }

    async fn carry_out(&self, at: At<'_>) -> Result<Option<String>, Failure> {
        let run = self.own.then_some(&**at.lane.run());
        let built = at.real.kept.get::<PackedTrees>().built(&self.of, run, &at.real.cache);
        Ok(built.map(|packed| packed.manifest_sha256.clone()))
    }

    /// The simulated world has no builds on this machine.
    fn predict(&self, _: &mut Model) -> Predicted<Option<String>> {
        Ok(None)
    }
}
