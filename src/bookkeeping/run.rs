//! Records that a run began on a fleet, and how it left the fleet.
use super::place;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    ledger::{LedgerLine, Phase, line},
    model::{Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Records in the ledger of the fleet's home that a run has the lock, or how it ended.
///
/// It's a hold, because a resumed run records that again.
#[derive(Clone, Serialize)]
pub struct RecordRun {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    /// The command line's normal form.
    pub typed: String,
    /// The rest of the ledger's line: `intent` when the run begins, `failed` if it changed nothing, `ok` if all is
    /// done, `unknown` if something is left to do.
    #[serde(skip_serializing)]
    pub line: LedgerLine,
}

impl Effect for RecordRun {
    type Outcome = ();
    const NAME: &'static str = "run";
    const KIND: EffectKind = EffectKind::Hold;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Nothing
    }

    fn describe(&self) -> String {
        let how = if self.line.phase == Phase::Intent { "begins" } else { "ends" };
        format!("record that this run {how} on {}", self.fleet.name)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let text = self.text().replace(line::AT, &line::now());
        at.real.site(&self.fleet.name).coordinator.note(&place(&self.fleet)?, "ledger", &text).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.write_down(&self.fleet.name, &place(&self.fleet)?, &self.text())
    }
}

impl RecordRun {
    fn text(&self) -> String {
        LedgerLine { effect: "run".into(), reason: Some(self.typed.clone()), ..self.line.clone() }.text()
    }
}
