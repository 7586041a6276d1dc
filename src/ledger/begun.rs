//! Finds who began something that runs once and didn't record its end.
use super::{Book, LedgerLine, Phase, reserved};
use serde::{Deserialize, Serialize};

/// Something that runs once, such as a migration, that began and has no known end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnceBegun {
    /// The line of its beginning.
    pub line: LedgerLine,
    /// Whether its run was aborted, so that it can't be resumed.
    pub aborted: bool,
    /// Whether another run has changed the fleet since.
    pub overtaken: bool,
}

impl Book {
    /// Returns the last beginning of something that runs once for a commit, if it has no known end.
    ///
    /// `asks` is the run that wants to know: what it did itself since doesn't count.
    pub fn begun(&self, name: &str, commit: &str, asks: &str) -> Option<OnceBegun> {
        let of = |line: &&LedgerLine| matches!(line.phase, Phase::Intent | Phase::Unknown);
        let line = self.mark(name, commit).filter(of)?.clone();
        let since = self.changed_since(|other| other.run == line.run || *other.run == *asks);
        Some(OnceBegun { aborted: self.was_aborted(&line.run), overtaken: since.is_some(), line })
    }

    /// Returns what a run left without a known end and may run only once: its line.
    pub fn left_once(&self, run: &str) -> Option<&LedgerLine> {
        self.lines.iter().filter(|line| *line.run == *run && line.effect == "mark").find(|line| {
            let known = line.reason.as_deref().zip(line.commit.as_deref());
            let is_last = known.is_some_and(|(name, commit)| self.mark(name, commit) == Some(line));
            is_last
                && matches!(line.phase, Phase::Intent | Phase::Unknown)
                && !line.reason.as_deref().is_some_and(reserved)
        })
    }

    /// Returns the newest line after the last of the named ones, by a run that changed something or may have.
    pub fn changed_since(&self, named: impl Fn(&LedgerLine) -> bool) -> Option<&LedgerLine> {
        let mut since = self.lines.iter().rev().take_while(|line| !named(line));
        since.find(|line| !self.changed_nothing(&line.run))
    }

    fn was_aborted(&self, run: &str) -> bool {
        let ends = |undo: &str| self.lines.iter().rfind(|line| *line.run == *undo && line.effect == "run");
        self.undoing(run).into_iter().filter_map(|undo| ends(undo)).any(|line| line.phase == Phase::Ok)
    }
}
