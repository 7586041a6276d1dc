//! The number that a fleet gives a commit, the same on all hosts.
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    ledger::{Line, Phase, ReadLedger, line, place},
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Writes down in the fleet's ledger that a commit is deployed, under its number.
///
/// A known commit keeps its own; a new one gets the highest plus one.
#[derive(Clone, Serialize)]
pub struct Number {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub commit: Commit,
    /// What the commit was called.
    pub name: String,
    /// The number that hosts know the commit by, if any does.
    pub known: Option<u32>,
    /// Whether it gets a number of its own although it is known: it is made from something else now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// The highest number on any host.
    pub highest: u32,
    /// The rest of the ledger's line.
    #[serde(skip_serializing)]
    pub line: Line,
}

impl Effect for Number {
    type Outcome = u32;
    const NAME: &'static str = "number";
    const KIND: Kind = Kind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        format!("write down that {} is deployed", &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<u32, Failure> {
        let home = place(&self.fleet)?;
        let book = Effect::carry_out(&ReadLedger { fleet: self.fleet.clone() }, at).await?;
        let number = self.number(&book);
        let text = self.text(number).replace(line::AT, &line::now());
        at.real.site(&self.fleet.name).balancing.note(&home, "ledger", &text).await?;
        Ok(number)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Seen<u32>, Failure> {
        let book = ask.read(ReadLedger { fleet: self.fleet.clone() })?;
        let mine =
            |l: &&Line| l.effect == "release" && l.run == self.line.run && l.commit.as_ref() == Some(&self.commit);
        let line = book.lines.iter().rev().find(mine);
        Ok(line.and_then(|l| l.number).map_or(Seen::Not, Seen::Done))
    }

    fn predict(&self, model: &mut Model) -> Predicted<u32> {
        let book = Effect::predict(&ReadLedger { fleet: self.fleet.clone() }, model)?;
        let number = self.number(&book);
        model.write_down(&self.fleet.name, &place(&self.fleet)?, &self.text(number))?;
        Ok(number)
    }
}

impl Number {
    fn number(&self, book: &crate::ledger::Book) -> u32 {
        let known = book.number_of(&self.commit).or(self.known).filter(|_| !self.anew);
        known.unwrap_or_else(|| book.highest().max(self.highest) + 1)
    }

    fn text(&self, number: u32) -> String {
        Line {
            effect: "release".into(),
            commit: Some(self.commit.clone()),
            number: Some(number),
            reason: Some(self.name.clone()),
            phase: Phase::Ok,
            ..self.line.clone()
        }
        .text()
    }
}
