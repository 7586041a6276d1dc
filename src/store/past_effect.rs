//! An effect of an earlier attempt, and what becomes of it.
use crate::{
    effect::EffectKind,
    failure::{Failure, Reason},
};
use serde_json::value::RawValue;

/// An effect that came to the door before.
#[derive(Debug)]
pub struct PastEffect {
    pub attempt: u32,
    pub name: String,
    pub kind: EffectKind,
    pub text: String,
    pub recorded: Box<RawValue>,
    /// What it changes.
    pub things: Vec<String>,
    /// Where it stands in the journal.
    pub place: usize,
    /// Whether it is the last change of something: whether it still holds is to be looked at.
    pub last: bool,
    /// None while nobody knows how it ended.
    pub end: Option<Result<Box<RawValue>, Failure>>,
    /// Where its end stands in the journal.
    pub end_place: usize,
    pub fate: Fate,
    /// Whether a secret stood in its outcome, which is not handed back then.
    pub masked: bool,
    /// Whether what it came after did not hold any more.
    pub stale: bool,
}

impl PastEffect {
    /// Whether it changes something, and was done or may have been.
    pub fn may_be_done(&self) -> bool {
        let failed = |failure: &Failure| failure.reason() != Reason::Unknown;
        let done = !matches!(&self.end, Some(Err(failure)) if failed(failure));
        done && matches!(self.kind, EffectKind::Change | EffectKind::Once)
    }
}

/// What a resumed run makes of an effect that came to the door before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its outcome is handed back.
    Kept,
    /// Its failure ended its lane: it is tried again.
    TriedAgain,
    /// Nothing was done after it: it reads afresh.
    Afresh,
}
