//! Judges whether an answer proves what a service should serve.
use super::{
    Expected, ProbeAnswer,
    says::{could_say, names_commit, says},
    written::WrittenNames,
};
use crate::fleet::{Health, Version};

/// The judgment of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Bad,
    Good {
        /// Whether the answer proves what the host should serve.
        proven: bool,
    },
}

/// Judges an answer. It must prove the expected release, unless the fleet file turns that off or the release's names
/// are unknown.
///
/// With `nameless`, an answer that couldn't name any release is good too.
pub(super) fn judged(
    answer: &ProbeAnswer,
    health: &Health,
    expected: &Expected,
    written: &WrittenNames,
    nameless: bool,
) -> Verdict {
    let said = answer.version.as_deref();
    let proven = said.is_some_and(|said| says(said, expected) || written.proves(said, expected));
    let open = !expected.sure || said.is_some_and(|said| written.leaves_open(said));
    let taken = nameless && said.is_none_or(|said| !could_say(said, expected) && !written.names_one(said));
    if answer.good && (proven || open || taken || health.version == Version::None) {
        Verdict::Good { proven }
    } else {
        Verdict::Bad
    }
}

/// Returns whether to look up names in ledgers, because a good answer doesn't prove the release without them.
///
/// With `nameless`, an answer that couldn't name any release is good too.
pub(super) fn looks_up(expected: &Expected, answer: &ProbeAnswer, nameless: bool) -> bool {
    let unproven = answer.version.as_deref().is_some_and(|said| answer.good && !says(said, expected));
    // A package has no name except its version.
    let unnamed = expected.names.is_empty() && expected.id.as_deref().is_some_and(names_commit);
    unproven && expected.sure && (nameless || unnamed)
}
