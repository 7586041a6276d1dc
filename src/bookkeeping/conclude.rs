//! Records the end of a change that a resumed run finds done, in the ledgers of the fleet's balancers.
use super::place;
use crate::{
    effect::*,
    failure::Failure,
    fleet::Fleet,
    host::{Host, Name},
    ledger::{Book, LedgerLine, Phase, line},
    model::{Model, Predicted},
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// Records that a change of this run is done, if its lines say only that it began.
///
/// The attempt that made the change died before it recorded that.
#[derive(Clone, Serialize)]
pub struct Conclude {
    #[serde(serialize_with = "crate::fleet::by_name")]
    pub fleet: Arc<Fleet>,
    pub hosts: Vec<Host>,
    pub run: Name,
    /// The change's word in the ledger.
    pub word: String,
}

impl Effect for Conclude {
    type Outcome = ();
    const NAME: &'static str = "conclude";
    const KIND: EffectKind = EffectKind::Change;

    fn subject(&self) -> Subject<'_> {
        Subject::Fleet(&self.fleet.name)
    }

    fn touch(&self) -> Touch<'_> {
        Touch::Recorded { fleet: &self.fleet.name }
    }

    fn describe(&self) -> String {
        format!("record that {} is done", self.word)
    }

    async fn carry_out(&self, at: At<'_>) -> Result<(), Failure> {
        let site = at.real.site(&self.fleet.name);
        for place in self.places()? {
            let book = site.coordinator.book(&place).await?;
            let lines: Vec<String> = self.lines(&book).into_iter().map(|line| line.text()).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            site.coordinator.note_all(&place, "ledger", &lines).await?;
        }
        Ok(())
    }

    fn predict(&self, model: &mut Model) -> Predicted<()> {
        for place in self.places()? {
            let state = model.state(&self.fleet.name)?;
            let book = Book::read(&state.ledgers.get(&place).map(|lines| lines.join("\n")).unwrap_or_default());
            for line in self.lines(&book) {
                model.write_down(&self.fleet.name, &place, &line.text())?;
            }
        }
        Ok(())
    }
}

impl Conclude {
    /// Returns the balancers that the hosts stand behind, and the one that keeps what is read of the fleet.
    fn places(&self) -> Result<BTreeSet<Name>, Failure> {
        let behind = self.fleet.balancers.iter().filter(|b| self.hosts.iter().any(|host| b.has(host)));
        let home = place(&self.fleet)?;
        Ok(behind.map(|b| b.name.clone()).chain([home]).collect())
    }

    fn lines(&self, book: &Book) -> Vec<LedgerLine> {
        self.hosts.iter().filter_map(|host| book.concluded(&self.run, &self.word, &host.name)).collect()
    }
}

impl Book {
    /// Returns the line that a run's change of a host is done, if the run's last line about it says anything else.
    pub fn concluded(&self, run: &str, word: &str, host: &str) -> Option<LedgerLine> {
        let of = |l: &&LedgerLine| *l.run == *run && l.effect == word && l.host.as_deref() == Some(host);
        let last = self.lines.iter().rev().find(of).filter(|l| l.phase != Phase::Ok)?;
        Some(LedgerLine { phase: Phase::Ok, seq: last.seq + 1, at: line::AT.into(), ..last.clone() })
    }
}
