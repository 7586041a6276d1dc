//! That a run has passed a gate: the journal keeps it, so that no later attempt asks again.
use crate::{
    effect::*,
    failure::Failure,
    host::Name,
    model::{Commit, Model, Predicted},
    store::PASSED,
};
use serde::Serialize;

/// Records in the run's journal that a commit has passed the gate.
#[derive(Clone, Debug, Serialize)]
pub struct PassGate {
    pub commit: Commit,
    /// The branch and the fleet with the rules that it passed.
    pub branch: String,
    pub fleet: Name,
    /// Why the gate wasn't asked, if the operator said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
}

impl Read for PassGate {
    type Outcome = ();
    const NAME: &'static str = PASSED;

    fn subject(&self) -> Subject<'_> {
        Subject::Here
    }

    fn describe(&self) -> String {
        let short = &self.commit[..self.commit.len().min(12)];
        match &self.without {
            None => format!("pass the gate with {short}"),
            Some(why) => format!("pass the gate with {short} without asking it: {why}"),
        }
    }

    async fn carry_out(&self, _: At<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.takes(0);
        Ok(())
    }
}
