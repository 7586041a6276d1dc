//! What runs once for each commit and fleet, such as a migration: records that it begins and how it ends.
use super::{ReadLedger, place};
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    ledger::{Book, LedgerLine, Phase, line},
    model::{Commit, Model, Predicted},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The state of something that runs once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkState {
    NeverBegun,
    /// It began, and the ledger doesn't say how it ended.
    Begun,
    Done,
    Failed,
}

/// Records that something begins or how it ended, in the ledger of the fleet's home.
#[derive(Clone, Serialize)]
pub struct Mark {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub name: String,
    pub commit: Commit,
    pub state: MarkState,
    /// The rest of the ledger's line.
    #[serde(skip_serializing)]
    pub line: LedgerLine,
}

impl Effect for Mark {
    type Outcome = ();
    const NAME: &'static str = "mark";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        let state = match self.state {
            MarkState::NeverBegun | MarkState::Begun => "begun",
            MarkState::Done => "done",
            MarkState::Failed => "failed",
        };
        format!("record that {} of {} is {state}", self.name, &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let home = place(&self.fleet)?;
        let text = self.text().replace(line::AT, &line::now());
        at.real.site(&self.fleet.name).coordinator.note(&home, "ledger", &text).await
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        model.write_down(&self.fleet.name, &place(&self.fleet)?, &self.text())
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<()>, Failure> {
        let book = ask.read(ReadLedger { fleet: self.fleet.clone() })?;
        let same =
            book.mark(&self.name, &self.commit).is_some_and(|l| l.run == self.line.run && l.phase == self.phase());
        Ok(if same { Happened::Done(()) } else { Happened::Not })
    }
}

impl Mark {
    fn phase(&self) -> Phase {
        match self.state {
            MarkState::NeverBegun | MarkState::Begun => Phase::Intent,
            MarkState::Done => Phase::Ok,
            MarkState::Failed => Phase::Failed,
        }
    }

    fn text(&self) -> String {
        LedgerLine {
            effect: "mark".into(),
            commit: Some(self.commit.clone()),
            reason: Some(self.name.clone()),
            phase: self.phase(),
            ..self.line.clone()
        }
        .text()
    }
}

/// Reads the state of something that runs once for each commit.
#[derive(Clone, Serialize)]
pub struct ReadMarks {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub name: String,
    pub commit: Commit,
}

impl Read for ReadMarks {
    type Outcome = MarkState;
    const NAME: &'static str = "read_marks";

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn describe(&self) -> String {
        format!("check whether {} of {} was done", self.name, &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<MarkState, Failure> {
        let book = Effect::carry_out(&ReadLedger { fleet: self.fleet.clone() }, at).await?;
        Ok(self.state(&book))
    }

    fn predict(&self, model: &mut Model) -> Predicted<MarkState> {
        let book = Effect::predict(&ReadLedger { fleet: self.fleet.clone() }, model)?;
        Ok(self.state(&book))
    }
}

impl ReadMarks {
    fn state(&self, book: &Book) -> MarkState {
        match book.mark(&self.name, &self.commit).map(|l| l.phase) {
            None => MarkState::NeverBegun,
            Some(Phase::Ok) => MarkState::Done,
            Some(Phase::Failed) => MarkState::Failed,
            Some(Phase::Intent | Phase::Unknown) => MarkState::Begun,
        }
    }
}
