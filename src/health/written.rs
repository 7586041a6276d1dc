//! The names of releases in ledgers.
use super::{
    Expected, Probe,
    says::{names_commit, says},
};
use crate::{
    bookkeeping::ReadLedger,
    effect::*,
    failure::Failure,
    ledger::Book,
    model::{Model, Predicted},
    release::ReadBook,
};

/// The names of releases in ledgers.
#[derive(Clone, Debug, Default)]
pub(super) struct WrittenNames {
    /// The names of the expected release; `None` if no ledger has it.
    names: Option<Vec<String>>,
    others: Vec<Expected>,
}

impl WrittenNames {
    /// Builds the names for a release that needs no lookup.
    pub(super) fn known() -> WrittenNames {
        WrittenNames { names: Some(Vec::new()), others: Vec::new() }
    }

    /// Reads the fleet's ledger, and the host's own if the fleet's doesn't have the release.
    pub(super) async fn of(probe: &Probe, at: At<'_>) -> Result<WrittenNames, Failure> {
        let id = probe.expected.id.as_deref();
        let fleet = Effect::carry_out(&ReadLedger { fleet: probe.fleet.clone() }, at).await?;
        let of_fleet = WrittenNames::in_book(&fleet, id);
        if of_fleet.names.is_some() {
            return Ok(of_fleet);
        }
        let own = ReadBook::of(&probe.fleet, &probe.host)?.whole(&at).await?;
        Ok(of_fleet.or(WrittenNames::in_book(&own, id)))
    }

    /// Reads the same from the model.
    pub(super) fn on_model(probe: &Probe, model: &mut Model) -> Predicted<WrittenNames> {
        let id = probe.expected.id.as_deref();
        let fleet = Effect::predict(&ReadLedger { fleet: probe.fleet.clone() }, model)?;
        let own = ReadBook::of(&probe.fleet, &probe.host)?.on_model(model)?;
        Ok(WrittenNames::in_book(&fleet, id).or(WrittenNames::in_book(&own, id)))
    }

    fn in_book(book: &Book, id: Option<&str>) -> WrittenNames {
        let mut written = WrittenNames::default();
        for (commit, names) in book.names() {
            if id.is_some_and(|id| commit.starts_with(id) || id.starts_with(commit)) {
                written.names.get_or_insert_default().extend(names)
            } else {
                written.others.push(Expected::of(commit.into(), names))
            }
        }
        written
    }

    fn or(self, other: WrittenNames) -> WrittenNames {
        WrittenNames { names: self.names.or(other.names), others: [self.others, other.others].concat() }
    }

    /// Returns whether a text names the expected release, by the names in the ledgers too.
    pub(super) fn proves(&self, said: &str, expected: &Expected) -> bool {
        says(said, &Expected { names: self.names.clone().unwrap_or_default(), ..expected.clone() })
    }

    /// Returns whether a text names a release in a ledger.
    pub(super) fn names_one(&self, said: &str) -> bool {
        self.others.iter().any(|other| says(said, other))
            || self.names.as_ref().is_some_and(|names| names.iter().any(|name| name == said))
    }

    /// Returns whether a text can't be judged: no ledger has the expected release, and the text names no other one.
    pub(super) fn leaves_open(&self, said: &str) -> bool {
        self.names.is_none() && !names_commit(said) && !self.others.iter().any(|other| says(said, other))
    }
}
