//! Marks of releases in a fleet's ledger, as a script writes them.
use super::{git::CommitValue, release_value::ReleaseValue};
use crate::{
    ledger::{Mark, MarkState, Phase},
    script::{Here, RhaiResultOf, Targets, current_targets},
};

/// Writes a mark about a commit.
pub fn mark(here: &Here, targets: &Targets, name: &str, commit: &CommitValue, state: MarkState) -> RhaiResultOf<()> {
    let line = here.session.run.line(Phase::Intent);
    let (fleet, name, commit) = (targets.fleet.clone(), name.to_owned(), commit.commit.clone());
    here.perform(Mark { fleet, name, commit, state, line })
}

/// Writes a mark about the commit of a release on the current targets.
pub fn switched(here: &Here, name: &str, release: ReleaseValue, state: MarkState) -> RhaiResultOf<()> {
    let targets = current_targets(here)?;
    mark(here, &targets, name, &release.into(), state)
}
