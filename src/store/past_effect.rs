//! An effect of an earlier attempt, and how a resumed run treats it.
use crate::{
    effect::EffectKind,
    failure::{Failure, Reason},
};
use serde_json::value::RawValue;

/// An effect that an earlier attempt began.
#[derive(Debug)]
pub struct PastEffect {
    pub attempt: u32,
    pub name: String,
    pub kind: EffectKind,
    pub text: String,
    pub recorded: Box<RawValue>,
    /// The things that it changes.
    pub things: Vec<String>,
    /// The place of its start in the journal.
    pub place: usize,
    /// Whether it is the last change of something: then the resumed run checks whether the change still holds.
    pub last: bool,
    /// How it ended; none if that is unknown.
    pub end: Option<Result<Box<RawValue>, Failure>>,
    /// The place of its end in the journal.
    pub end_place: usize,
    pub fate: Fate,
    /// Whether its outcome contained a secret: then the outcome isn't handed back.
    pub masked: bool,
    /// Whether an effect before it had been undone.
    pub stale: bool,
}

impl PastEffect {
    /// Returns whether it is a change that was done, or may have been.
    pub fn may_be_done(&self) -> bool {
        let failed = |failure: &Failure| failure.reason() != Reason::Unknown;
        let done = !matches!(&self.end, Some(Err(failure)) if failed(failure));
        done && matches!(self.kind, EffectKind::Change | EffectKind::Once)
    }
}

/// How a resumed run treats an effect of an earlier attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its outcome is handed back.
    Kept,
    /// Its failure ended its lane: it is tried again.
    TriedAgain,
    /// Nothing was done after it: it is read again.
    Afresh,
}
