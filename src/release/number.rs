//! The number that a fleet gives a commit, the same on all hosts.
use crate::{
    bookkeeping::{ReadLedger, place},
    effect::*,
    event::EventKind,
    failure::Failure,
    fleet::Fleet,
    ledger::{Book, LedgerLine, Phase, line},
    model::{Commit, Model, Predicted},
};
use serde::Serialize;
use std::sync::Arc;

/// Records in the fleet's ledger that a commit is deployed, under its number.
///
/// A known commit keeps its number; a new one gets the highest plus one.
#[derive(Clone, Serialize)]
pub struct RecordNumber {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub commit: Commit,
    /// The name that was given for the commit.
    pub name: String,
    /// Other names that a service may use for the commit.
    #[serde(skip_serializing)]
    pub names: Vec<String>,
    /// The number under which hosts know the commit, if any does.
    pub known: Option<u32>,
    /// Whether a known commit gets a new number, because its release is made from something else this time.
    #[serde(rename = "anew", skip_serializing_if = "std::ops::Not::not")]
    pub renumbered: bool,
    /// A digest of what the release is made from, if the app is a folder of its repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The highest number on any host.
    pub highest: u32,
    /// The rest of the ledger's line.
    #[serde(skip_serializing)]
    pub line: LedgerLine,
}

impl Effect for RecordNumber {
    type Outcome = u32;
    const NAME: &'static str = "number";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        format!("record that {} is deployed", &self.commit[..self.commit.len().min(12)])
    }

    async fn carry_out(&self, at: At<'_>) -> Result<u32, Failure> {
        let home = place(&self.fleet)?;
        let book = Effect::carry_out(&ReadLedger { fleet: self.fleet.clone() }, at).await?;
        let number = self.number(&book);
        // If no host has the commit and it can't have been pruned, nothing was done once for it, and nothing is lost.
        if book.newest().is_none() && (self.known.is_some() || self.highest > 1) {
            let text = format!(
                "the ledger of fleet `{}` has no release, though its hosts have some: it was emptied or lost. rfab can \
                 no longer tell which once-per-commit steps were done, such as a migration",
                self.fleet.name
            );
            at.tell(EventKind::Warned { host: None, text });
        }
        for odd in self.known.into_iter().chain([self.highest]).filter(|number| !credible(book.highest(), *number)) {
            let text = format!(
                "a host has a release with the number {odd}, which fleet `{}` never assigned: rfab ignores it, and the \
                 next number is {number}",
                self.fleet.name
            );
            at.tell(EventKind::Warned { host: None, text });
        }
        let text = self.text(number).replace(line::AT, &line::now());
        at.real.site(&self.fleet.name).coordinator.note(&home, "ledger", &text).await?;
        Ok(number)
    }

    fn look(&self, ask: Ask<'_>) -> Result<Happened<u32>, Failure> {
        let book = ask.read(ReadLedger { fleet: self.fleet.clone() })?;
        let mine = |l: &&LedgerLine| {
            l.effect == "release" && l.run == self.line.run && l.commit.as_ref() == Some(&self.commit)
        };
        let line = book.lines.iter().rev().find(mine);
        Ok(line.and_then(|l| l.number).map_or(Happened::Not, Happened::Done))
    }

    fn predict(&self, model: &mut Model) -> Predicted<u32> {
        let book = Effect::predict(&ReadLedger { fleet: self.fleet.clone() }, model)?;
        let number = self.number(&book);
        model.write_down(&self.fleet.name, &place(&self.fleet)?, &self.text(number))?;
        Ok(number)
    }
}

/// The most releases that a ledger may lack, and the highest number that is believed if it has none.
const LACKING: u32 = 10_000;
const BELIEVED: u32 = 99_999_999;

/// Returns whether a host's number may come from the fleet, which gave `given` last: people who write there can invent
/// one.
fn credible(given: u32, number: u32) -> bool {
    number <= BELIEVED && (given == 0 || number <= given.saturating_add(LACKING))
}

impl RecordNumber {
    fn number(&self, book: &Book) -> u32 {
        let of_hosts = |number: &u32| credible(book.highest(), *number);
        let known = book.number_of(&self.commit).or(self.known.filter(of_hosts)).filter(|_| !self.renumbered);
        let highest = Some(self.highest).filter(of_hosts).unwrap_or(0);
        known.unwrap_or_else(|| book.highest().max(highest) + 1)
    }

    fn text(&self, number: u32) -> String {
        LedgerLine {
            effect: "release".into(),
            commit: Some(self.commit.clone()),
            number: Some(number),
            reason: Some(self.name.clone()),
            names: Some(self.names.clone()),
            content: self.content.clone(),
            phase: Phase::Ok,
            ..self.line.clone()
        }
        .text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_somebody_made_up_on_a_host_poisons_nothing() {
        for number in [0, 1, 7, 10_007, 9_999] {
            assert!(credible(7, number), "{number}");
        }
        for number in [10_008, 99_999_999, 999_999_999, u32::MAX] {
            assert!(!credible(7, number), "{number}");
        }
        assert!(credible(0, 50_000), "a new balancer's machine has no ledger yet");
        assert!(!credible(0, 999_999_999) && !credible(u32::MAX, u32::MAX));
    }
}
